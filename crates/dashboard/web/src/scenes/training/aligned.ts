import type { Point } from "../../generated/events";
import type { Across } from "./settings";
import { smoothed } from "./smooth";

export interface Drawn {
  /** Rising. */
  x: number[];
  /** Of each series, above each `x`, a value or none. */
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

/** Where a point stands. */
function place([step, , time]: Point, across: Across, start: number): number {
  return across === "step" ? step : across === "time" ? time : time - start;
}

/** Series over one axis. One with several points above one `x` has them all: a peak is not lost to its neighbour. */
export function aligned(series: readonly { points: readonly Point[]; start: number }[], { across, log, smoothing, since }: How): Drawn {
  let left = 0;
  const columns = series.map(({ points, start }) => {
    const of: [number, number][] = [];
    for (const point of points) {
      if (point[2] < since) continue;
      const x = place(point, across, start);
      if ((log.x && x <= 0) || (log.y && point[1] <= 0)) left += 1;
      else of.push([x, point[1]]);
    }
    return of.sort((a, b) => a[0] - b[0]);
  });
  const smooth = columns.map((column) => (smoothing > 0 ? smoothed(column.map(([, value]) => value), smoothing) : []));
  const drawn: Drawn = { x: [], y: series.map(() => []), smooth: series.map(() => []), left };
  const next = columns.map(() => 0);
  for (;;) {
    let x = Number.POSITIVE_INFINITY;
    for (const [i, column] of columns.entries()) x = Math.min(x, column[next[i]!]?.[0] ?? x);
    if (x === Number.POSITIVE_INFINITY) return drawn;
    drawn.x.push(x);
    for (const [i, column] of columns.entries()) {
      const here = column[next[i]!];
      const is = here?.[0] === x;
      drawn.y[i]!.push(is ? here[1] : null);
      if (smoothing > 0) drawn.smooth[i]!.push(is ? (smooth[i]![next[i]!] ?? null) : null);
      if (is) next[i]! += 1;
    }
  }
}
