import { useEffect, useState } from "preact/hooks";
import type { Point } from "../../generated/events";

export interface Checkpoint {
  run: string;
  step: number;
  /** Seconds since 1970. */
  time: number;
  values: ReadonlyMap<string, number>;
}

/** Points of a metric of a run. */
export interface Measured {
  run_id: string;
  metric: string;
  points: readonly Point[];
}

/** Points of a series that are asked for, at most: as many as may be. */
const MOST = 100_000;
/** What was not told is asked for again after so many milliseconds. */
const REFRESH = 15_000;

/** What is said of each step of a run by metrics of checkpoints, the newest first. A point may be given twice. */
export function checkpoints(all: Iterable<Measured>): Checkpoint[] {
  const rows = new Map<string, { run: string; step: number; time: number; values: Map<string, number>; times: Map<string, number> }>();
  for (const { run_id: run, metric, points } of all) {
    for (const [step, value, time] of points) {
      const id = `${step} ${run}`;
      const row = rows.get(id) ?? { run, step, time, values: new Map<string, number>(), times: new Map<string, number>() };
      row.time = Math.max(row.time, time);
      // A step may have been measured twice.
      if (time >= (row.times.get(metric) ?? time)) {
        row.values.set(metric, value);
        row.times.set(metric, time);
      }
      rows.set(id, row);
    }
  }
  return [...rows.values()].sort((a, b) => b.time - a.time || b.step - a.step);
}

/** All checkpoints that are kept of these runs: what pages are sent of a long series is thinned. */
export function useKept(runs: readonly string[]): { kept: readonly Measured[]; trouble: string | undefined } {
  const [kept, setKept] = useState<readonly Measured[]>([]);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  useEffect(() => {
    const gone = new AbortController();
    const ask = async () => {
      while (!gone.signal.aborted) {
        try {
          const of: Measured[] = [];
          for (const run of runs) of.push(...(await keptOf(run, gone.signal)));
          setKept(of);
          setTrouble(undefined);
        } catch (error) {
          if (!gone.signal.aborted) setTrouble(error instanceof Error ? error.message : String(error));
        }
        await new Promise((resolve) => setTimeout(resolve, REFRESH));
      }
    };
    ask();
    return () => gone.abort();
  }, [runs.join("\n")]);
  return { kept, trouble };
}

async function keptOf(run: string, signal: AbortSignal): Promise<Measured[]> {
  const answer = await fetch(`checkpoints/${encodeURIComponent(run)}?max_points=${MOST}`, { signal });
  // A run may be known by its newest points before it is by its history.
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`${run}: ${answer.status} ${answer.statusText}`);
  const series = (await answer.json()) as Record<string, Point[]>;
  return Object.entries(series).map(([metric, points]) => ({ run_id: run, metric, points }));
}
