import type { Server } from "node:http";

export function stand(n: number): Promise<{ url: string; server: Server }>;
