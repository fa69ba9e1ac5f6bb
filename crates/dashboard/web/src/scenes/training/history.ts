import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Point } from "../../generated/events";
import { Pyramid, type Series } from "../../state/series";
import { metas } from "./runs";
import { span } from "./settings";

/** Buckets of what is drawn of a span, of all runs of a chart; of each at least so many. */
const BUCKETS = 5_000;
const FEWEST = 50;
const MOST = 500;
/** What came since is asked for every so many seconds, and less often where that are many requests. */
const REFRESH = 5;
const PER_SECOND = 20;
/** What came of some runs is drawn before that of the others has, every so many milliseconds. */
const SHOWN = 250;
/** Points that came before the newest one may come after it: by so many seconds with the next request, by more when all of the span is asked for again. */
const LATE = 30;
const WHOLE = 60;

/** What a span shows of a series, that what is kept of all of it is too coarse for. */
export interface Past {
  pyramid: Pyramid;
  /** Seconds since 1970, of what was asked for last. */
  newest: number;
  /** When all of the span was asked for, seconds since 1970. */
  asked: number;
}

export interface History {
  /** Seconds since 1970 from which on one looks. */
  since: number;
  /** By run. */
  of: ReadonlyMap<string, Past>;
}

const ALL: History = { since: 0, of: new Map() };

/** Why the past could not be had, by metric. */
const troubles = signal<ReadonlyMap<string, string>>(new Map());

export const trouble = (): string | undefined => [...troubles.value.values()][0];

/** The past of a metric of these runs, in the span that is chosen, while somebody looks. */
export function useHistory(metric: string, runs: readonly string[], looks: boolean): History {
  const [history, setHistory] = useState(ALL);
  const { seconds } = span();
  useEffect(() => setHistory(ALL), [seconds, metric]);
  useEffect(() => {
    if (!looks || seconds === undefined) return;
    const gone = new AbortController();
    keep(metric, runs, seconds, setHistory, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) throw error;
    });
    return () => {
      gone.abort();
      said(metric, undefined);
    };
  }, [seconds, metric, runs.join("\n"), looks]);
  return seconds === undefined ? ALL : history;
}

/** Asks for what is not known, again and again. */
async function keep(
  metric: string,
  runs: readonly string[],
  seconds: number,
  set: (change: (before: History) => History) => void,
  gone: AbortSignal,
): Promise<void> {
  const buckets = Math.max(FEWEST, Math.min(MOST, Math.floor(BUCKETS / Math.max(1, runs.length))));
  let of: ReadonlyMap<string, Past> = new Map();
  for (;;) {
    const now = Date.now() / 1_000;
    const since = now - seconds;
    set((before) => {
      of = before.of;
      return { since, of };
    });
    let shown = performance.now();
    let failure: string | undefined;
    for (const run of runs) {
      const known = of.get(run);
      // What came late is in the whole, and it is no coarser than when the span began.
      const past = known !== undefined && now - known.asked < WHOLE ? known : undefined;
      // Of a run that is over nothing comes that could not wait.
      if (past !== undefined && metas.peek().get(run)?.is_active === false) continue;
      try {
        const next = await after(past, metric, run, past === undefined ? since : Math.max(since, past.newest - LATE), buckets, gone);
        if (gone.aborted) return;
        of = new Map(of).set(run, next);
        if (performance.now() - shown > SHOWN) {
          const some = of;
          set(() => ({ since, of: some }));
          shown = performance.now();
        }
      } catch (error) {
        if (gone.aborted) return;
        failure = error instanceof Error ? error.message : String(error);
      }
    }
    const all = of;
    set(() => ({ since, of: all }));
    said(metric, failure);
    await pause(Math.max(REFRESH, runs.length / PER_SECOND));
    if (gone.aborted) return;
  }
}

async function after(past: Past | undefined, metric: string, run: string, from: number, buckets: number, signal: AbortSignal): Promise<Past> {
  const query = new URLSearchParams({ metric, from_time: String(from), max_points: String(4 * buckets) });
  const answer = await fetch(`metrics/${encodeURIComponent(run)}?${query}`, { signal });
  // A run may be known by its newest points before it is by its history.
  if (!answer.ok && answer.status !== 404) throw new Error(`${run}: ${answer.status} ${answer.statusText}`);
  const points = answer.ok ? (((await answer.json()) as Record<string, Point[]>)[metric] ?? []) : [];
  const now = Date.now() / 1_000;
  // A clock that is ahead does not hide what others measure.
  const newest = points.reduce((newest, [, , time]) => Math.max(newest, Math.min(time, now)), past?.newest ?? 0);
  return { pyramid: (past?.pyramid ?? Pyramid.empty(MOST)).with(points), newest, asked: past?.asked ?? now };
}

function said(metric: string, trouble: string | undefined): void {
  if (troubles.peek().get(metric) === trouble) return;
  const next = new Map(troubles.peek());
  if (trouble === undefined) next.delete(metric);
  else next.set(metric, trouble);
  troubles.value = next;
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));

const joined = new WeakMap<Series, { past: Past; line: { points: Point[]; ends: ReadonlySet<Point> } }>();

/** The points of a series, as finely as they are known. */
export function drawnOf(series: Series, past: Past | undefined): { points: readonly Point[]; ends: ReadonlySet<Point> } {
  if (past === undefined) return series;
  const known = joined.get(series);
  if (known?.past === past) return known.line;
  // What is kept of a whole series is coarse where it is old.
  const all = past.pyramid.with(series.points.filter(([, , time]) => time > past.newest));
  const line = { points: all.points(), ends: all.ends() };
  joined.set(series, { past, line });
  return line;
}
