export function embedding(n: number): Uint8Array;
