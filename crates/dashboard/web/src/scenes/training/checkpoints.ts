import type { Series } from "../../state/series";

export interface Checkpoint {
  run: string;
  step: number;
  /** Seconds since 1970. */
  time: number;
  values: ReadonlyMap<string, number>;
}

/** What is said of each step of a run by metrics of checkpoints, the newest first. */
export function checkpoints(metrics: readonly (readonly [string, readonly Series[]])[]): Checkpoint[] {
  const rows = new Map<string, { run: string; step: number; time: number; values: Map<string, number> }>();
  for (const [metric, of] of metrics) {
    for (const { run_id: run, points } of of) {
      for (const [step, value, time] of points) {
        const id = `${step} ${run}`;
        const row = rows.get(id) ?? { run, step, time, values: new Map<string, number>() };
        row.time = Math.max(row.time, time);
        row.values.set(metric, value);
        rows.set(id, row);
      }
    }
  }
  return [...rows.values()].sort((a, b) => b.time - a.time || b.step - a.step);
}
