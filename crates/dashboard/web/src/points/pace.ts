import { MARKS_UP_TO } from "./stamp";

/** While the picture moves, a frame may take this long, ms. */
const FRAME = 13;
/** Of which points have at least this, however long the pixels take: a slow screen must not empty the picture. */
const POINTS = 4;
/** At least this share of the points is drawn. */
const LEAST = 0.05;

/** What a frame takes, ms: something for each point, and what clearing and colouring the pixels takes, however many points there are. */
export interface Cost {
  point: number;
  pixels: number;
}

/** Before the first frame nothing is known, and everything is drawn. */
export const unknown: Cost = { point: 0, pixels: 0 };

/** The share of the points that fits a frame while the picture moves. Marks are few enough to be drawn always. */
export function fitting(points: number, { point, pixels }: Cost): number {
  const all = point * points;
  if (points <= MARKS_UP_TO || all === 0) return 1;
  return Math.max(LEAST, Math.min(1, Math.max(POINTS, FRAME - pixels) / all));
}

/** The cost after one more frame, which took `ms` in all, and `pointMs` of it for its points. One slow frame does not decide. */
export function learned(before: Cost, frame: { points: number; pointMs: number; ms: number }): Cost {
  if (frame.points === 0) return before;
  const mix = (old: number, now: number) => (before === unknown ? now : 0.7 * old + 0.3 * now);
  return { point: mix(before.point, frame.pointMs / frame.points), pixels: mix(before.pixels, frame.ms - frame.pointMs) };
}
