import type { Point } from "../../generated/events";
import type { Across } from "./settings";
import { smoothed } from "./smooth";

export interface Line {
  points: readonly Point[];
  /** Those of them that are smoothed: the others are there because they are high or low. */
  ends: ReadonlySet<Point>;
  /** Seconds since 1970. */
  start: number;
}

export interface Drawn {
  /** Rising. */
  x: number[];
  /** Of each line, above each `x`, a value or none. */
  y: (number | null)[][];
  /** The same, smoothed; empty where nothing is to be. */
  smooth: (number | null)[][];
  /** Points that have no place on a logarithmic axis. */
  left: number;
}

export interface How {
  across: Across;
  /** Logarithmic axes: what is not above 0 has no place on them. */
  log: { x: boolean; y: boolean };
  /** In [0, 1). */
  smoothing: number;
  /** Seconds since 1970; points before that are not drawn. */
  since: number;
}

/** Values of all lines above all `x`, about: of more, what lies nearer to its neighbour than a fraction of a pixel shares an `x` with it. */
const CELLS = 1_000_000;

interface Cell {
  x: number;
  y: number | null;
  smooth: number | null;
}

/** Lines over one axis. One with several points above one `x` has them all: a peak is not lost to its neighbour. */
export function aligned(lines: readonly Line[], how: How): Drawn {
  let left = 0;
  let columns = lines.map((line) => {
    const all = cells(line, how);
    const drawn = all.filter(({ y, smooth }) => y !== null || smooth !== null);
    left += all.filter(({ y }) => y === null).length;
    return drawn;
  });
  const most = CELLS / Math.max(1, columns.length);
  if (columns.reduce((sum, column) => sum + column.length, 0) > most) columns = snapped(columns, Math.floor(most / 4), how.log.x);
  const drawn: Drawn = { x: [], y: lines.map(() => []), smooth: lines.map(() => []), left };
  const next = columns.map(() => 0);
  for (;;) {
    let x = Number.POSITIVE_INFINITY;
    for (const [i, column] of columns.entries()) x = Math.min(x, column[next[i]!]?.x ?? x);
    if (x === Number.POSITIVE_INFINITY) return drawn;
    drawn.x.push(x);
    for (const [i, column] of columns.entries()) {
      const here = column[next[i]!];
      const is = here?.x === x;
      drawn.y[i]!.push(is ? here.y : null);
      if (how.smoothing > 0) drawn.smooth[i]!.push(is ? here.smooth : null);
      if (is) next[i]! += 1;
    }
  }
}

/** The points of a line in their order across, those without a place on an axis with neither value. */
function cells({ points, ends, start }: Line, { across, log, smoothing, since }: How): Cell[] {
  const place = ([step, , time]: Point) => (across === "step" ? step : across === "time" ? time : time - start);
  const all = points.filter(([, , time]) => time >= since).map((point) => ({ x: place(point), y: point[1], end: smoothing > 0 && ends.has(point) }));
  all.sort((a, b) => a.x - b.x);
  const means = smoothed(
    all.filter(({ end }) => end).map(({ y }) => y),
    smoothing,
  );
  let next = 0;
  return all.map(({ x, y, end }) => {
    const smooth = end ? means[next++]! : null;
    const fits = (value: number | null) => (value === null || (log.x && x <= 0) || (log.y && value <= 0) ? null : value);
    return { x, y: fits(y), smooth: fits(smooth) };
  });
}

/** The same with all `x` in so many boxes, all as wide: of each line the first, the least, the greatest and the last of a box. */
function snapped(columns: readonly Cell[][], boxes: number, log: boolean): Cell[][] {
  const scale = log ? Math.log : (x: number) => x;
  const back = log ? Math.exp : (x: number) => x;
  const [first, last] = [Math.min(...columns.map((column) => column[0]?.x ?? Number.POSITIVE_INFINITY)), Math.max(...columns.map((column) => column.at(-1)?.x ?? 0))];
  const width = (scale(last) - scale(first)) / boxes || 1;
  const box = ({ x }: Cell) => Math.min(boxes - 1, Math.floor((scale(x) - scale(first)) / width));
  return columns.map((column) => {
    const kept: Cell[] = [];
    for (let from = 0; from < column.length; ) {
      const number = box(column[from]!);
      let to = from + 1;
      while (to < column.length && box(column[to]!) === number) to += 1;
      const here = column.slice(from, to);
      const heights = here.map(({ y }) => y ?? Number.NaN);
      const places = new Set([0, heights.indexOf(Math.min(...heights.filter((y) => y === y))), heights.indexOf(Math.max(...heights.filter((y) => y === y))), here.length - 1]);
      const some = [...places].filter((place) => place >= 0).sort((a, b) => a - b);
      const smooth = here.findLast((cell) => cell.smooth !== null)?.smooth ?? null;
      for (const [i, place] of some.entries()) {
        const x = back(scale(first) + (number + i / 4) * width);
        kept.push({ x, y: here[place]!.y, smooth: i === some.length - 1 ? smooth : null });
      }
      from = to;
    }
    return kept;
  });
}
