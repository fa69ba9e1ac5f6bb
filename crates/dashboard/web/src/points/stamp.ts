/** The pixels of a mark, relative to its middle. */
export interface Shape {
  dx: Int8Array;
  dy: Int8Array;
  /** The farthest of them from the middle. */
  reach: number;
}

/** Sizes of a mark from near to far. */
export const STAMP_LEVELS = 8;

/** Up to so many points are drawn as marks; more are squares of a few pixels. */
export const MARKS_UP_TO = 20_000;

/** Marks by category, so that colour is never the only thing that tells categories apart. Also drawn in legends. */
export const MARKS = ["circle", "square", "triangle", "diamond", "cross", "ring"] as const;
export type Mark = (typeof MARKS)[number];

export const markOf = (category: number): Mark => MARKS[category % MARKS.length] ?? "circle";

/** Whether a place is inside a mark; the marks have about the area of a circle of radius 1. */
const inside: Record<Mark, (x: number, y: number) => boolean> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= 0.87,
  triangle: (x, y) => y <= 0.78 && y >= -1.1 && Math.abs(x) <= (y + 1.1) * 0.6,
  diamond: (x, y) => Math.abs(x) + Math.abs(y) <= 1.22,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.36 && Math.max(Math.abs(x), Math.abs(y)) <= 1.15,
  ring: (x, y) => x * x + y * y <= 1.2 && x * x + y * y >= 0.35,
};

export interface Stamps {
  of(category: number, level: number): Shape;
}

/** Marks whose middle size has this radius in pixels; the nearest are a quarter larger, the farthest a quarter smaller. */
export function stamps(radius: number): Stamps {
  const shapes = MARKS.map((mark) =>
    Array.from({ length: STAMP_LEVELS }, (_, level) => shape(mark, radius * (1.25 - (0.5 * level) / (STAMP_LEVELS - 1)))),
  );
  const [fallback] = shapes[0] ?? [];
  if (fallback === undefined) throw new Error("there is a first mark of a first size");
  return { of: (category, level) => shapes[category % MARKS.length]?.[Math.min(level, STAMP_LEVELS - 1)] ?? fallback };
}

function shape(mark: Mark, radius: number): Shape {
  const reach = Math.ceil(radius * 1.3);
  const dx: number[] = [];
  const dy: number[] = [];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      if (inside[mark](x / radius, y / radius)) {
        dx.push(x);
        dy.push(y);
      }
    }
  }
  return { dx: Int8Array.from(dx), dy: Int8Array.from(dy), reach };
}
