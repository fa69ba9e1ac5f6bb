import type { Pair } from "./colour";

/** Eight colours that stay apart for every kind of colour vision; a test holds them to it. */
export const namePairs: readonly Pair[] = [
  { light: "#0836a1", dark: "#a2bdf0" },
  { light: "#c65402", dark: "#e67d40", strong: "#b75105" },
  { light: "#1f8c7b", dark: "#5ff0d2", strong: "#2f8574" },
  { light: "#5f2351", dark: "#9f5498" },
  { light: "#d49837", dark: "#e1be3f", strong: "#c38429" },
  { light: "#00afd5", dark: "#4ea6b0", strong: "#009fb8" },
  { light: "#905ace", dark: "#9374e2" },
  { light: "#94270a", dark: "#c85038" },
];

/** Models with a colour of their own, wherever and beside whatever they appear. */
const known = ["knn", "gbt", "mlp", "cnn", "knn_semi", "gru", "lstm", "bert"];

/**
 * A slot (a colour and a mark) for each name. Known names have theirs. Any other name has the slot that its letters give, or the next
 * free one, so it keeps its slot from day to day. With more names than colours, slots go past the last colour: colours repeat, but
 * not together with the mark.
 */
export function slots(names: readonly string[]): Map<string, number> {
  const taken = new Map<string, number>();
  const used = new Set<number>();
  const take = (name: string, slot: number) => {
    taken.set(name, slot);
    used.add(slot);
  };
  for (const name of names) if (known.includes(name)) take(name, known.indexOf(name));
  for (const name of [...names].sort()) {
    if (taken.has(name)) continue;
    const start = hash(name) % namePairs.length;
    const free = namePairs.map((_, step) => (start + step) % namePairs.length).find((slot) => !used.has(slot));
    take(name, free ?? taken.size);
  }
  return taken;
}

export function nameColour(slot: number): Pair {
  const pair = namePairs[slot % namePairs.length];
  if (pair === undefined) throw new Error("a remainder is an index");
  return pair;
}

/** Dashes of lines, CSS pixels, as the colours come round again. */
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 4], [10, 4, 2, 4]];

export const dashOf = (slot: number): readonly number[] => DASHES[Math.floor(slot / namePairs.length) % DASHES.length] ?? [];

function hash(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}
