import { computed, effect, signal } from "@preact/signals";
import type { Point } from "../../generated/events";
import { Pyramid, type Series } from "../../state/series";
import { isOn, runs } from "./runs";
import { span } from "./settings";

/** Buckets of what is drawn of a span. */
const BUCKETS = 500;

/** What a span shows that what is kept of a whole series is too coarse for. */
export class Past {
  readonly #of: ReadonlyMap<string, readonly Point[]>;
  readonly #joined = new WeakMap<Series, Point[]>();

  constructor(of: ReadonlyMap<string, readonly Point[]>) {
    this.#of = of;
  }

  /** The points of a series, with those that came since. */
  joined(series: Series): Point[] {
    const past = this.#of.get(series.run_id);
    if (past === undefined) return series.points;
    let points = this.#joined.get(series);
    if (points === undefined) {
      const newest = Math.max(...past.map(([, , time]) => time));
      // What is kept of a whole series is coarse where it is old.
      const since = series.points.filter(([, , time]) => time > newest);
      points = Pyramid.empty(BUCKETS).with(past).with(since).points();
      this.#joined.set(series, points);
    }
    return points;
  }
}

const seconds = computed(() => span().seconds);

/** Seconds since 1970 from which on one looks; it stays while the span does. */
const since = computed(() => {
  const { value } = seconds;
  return value === undefined ? 0 : Date.now() / 1_000 - value;
});

const pasts = signal<ReadonlyMap<string, Past>>(new Map());

/** Why a run's past could not be had. */
const trouble = signal<string | undefined>(undefined);

const shown = computed(() => runs.value.filter(isOn).join("\n"));

effect(() => {
  const from = since.value;
  const names = shown.value.split("\n").filter((run) => run !== "");
  pasts.value = new Map();
  trouble.value = undefined;
  if (from === 0) return;
  const gone = new AbortController();
  load(names, from, gone.signal).catch((error: unknown) => {
    if (!gone.signal.aborted) trouble.value = error instanceof Error ? error.message : String(error);
  });
  return () => gone.abort();
});

async function load(names: readonly string[], from: number, signal: AbortSignal): Promise<void> {
  const metrics = new Map<string, Map<string, Point[]>>();
  // One after the other: what is drawn meanwhile is what is kept of all.
  for (const run of names) {
    const answer = await fetch(`metrics/${encodeURIComponent(run)}?from_time=${from}&max_points=${4 * BUCKETS}`, { signal });
    if (answer.status === 404) continue;
    if (!answer.ok) throw new Error(`${run}: ${answer.status} ${answer.statusText}`);
    for (const [metric, points] of Object.entries((await answer.json()) as Record<string, Point[]>)) {
      const of = metrics.get(metric) ?? new Map<string, Point[]>();
      metrics.set(metric, of.set(run, points));
    }
  }
  if (!signal.aborted) pasts.value = new Map([...metrics].map(([metric, of]) => [metric, new Past(of)]));
}

export const history = { since, trouble, of: (metric: string): Past | undefined => pasts.value.get(metric) };
