import { PHASES } from "./columns";

/** What colours stand for. `verdict` is 0 where the prediction is right and 1 where it is wrong. */
export const COLOURINGS = ["phase", "predicted", "cluster", "verdict"] as const;
export type Colouring = (typeof COLOURINGS)[number];

/** A category a point, for each colouring. */
export type Categories = Readonly<Record<Colouring, Uint8Array>>;

export interface Counts {
  points: number;
  /** Points by category, for each colouring. */
  by: Record<Colouring, Uint32Array>;
  /** Points by phase and predicted phase: `confusion[phase * PHASES.length + predicted]`. */
  confusion: Uint32Array;
}

export const none: Counts = {
  points: 0,
  by: { phase: new Uint32Array(256), predicted: new Uint32Array(256), cluster: new Uint32Array(256), verdict: new Uint32Array(256) },
  confusion: new Uint32Array(PHASES.length ** 2),
};

/** These counts and points `from` to `to`. */
export function counted(before: Counts, categories: Categories, from: number, to: number): Counts {
  const counts = structuredClone(before);
  counts.points += to - from;
  for (const by of COLOURINGS) {
    const [category, count] = [categories[by], counts.by[by]];
    for (let i = from; i < to; i++) count[category[i]!]!++;
  }
  const { phase, predicted } = categories;
  for (let i = from; i < to; i++) counts.confusion[phase[i]! * PHASES.length + predicted[i]!]!++;
  return counts;
}
