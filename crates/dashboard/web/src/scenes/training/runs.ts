import { computed } from "@preact/signals";
import type { RunMeta } from "../../generated/events";
import { slots } from "../../palette/names";
import type { Series } from "../../state/series";
import { store } from "../../state/store";
import { param, setParam } from "../../view/address";

/** Every series, oldest news first. */
const all = computed(() => store.kept("metric_points").value as unknown as readonly Series[]);

/** What is said of each run. */
export const metas = computed(
  (): ReadonlyMap<string, RunMeta> => new Map((store.newest("runs_meta")?.runs_meta ?? []).map((meta) => [meta.run_id, meta])),
);

/** The runs that there are points of, the newest first. */
export const runs = computed((): readonly string[] => {
  const began = (run: string) => metas.value.get(run)?.start_time ?? "";
  const names = [...new Set(all.value.map(({ run_id }) => run_id))];
  return names.sort((a, b) => (began(a) === began(b) ? (a < b ? -1 : 1) : began(a) < began(b) ? 1 : -1));
});

/** A colour and a dash for each run: a run keeps its own while others come. */
export const runSlots = computed(() => slots(runs.value));

/** The runs that are not drawn. */
export const off = computed((): ReadonlySet<string> => new Set((param("off") ?? "").split(",").filter(Boolean).map(decodeURIComponent)));

export const isOn = (run: string): boolean => !off.value.has(run);

/** Draws those of these runs only. */
export function show(these: readonly string[]): void {
  const hidden = runs.value.filter((run) => !these.includes(run)).map(encodeURIComponent);
  setParam("off", hidden.length === 0 ? undefined : hidden.join());
}

let before: ReadonlyMap<string, readonly Series[]> = new Map();

/** The series of each metric, by run; the same array while nothing of it is new. */
export const byMetric = computed((): ReadonlyMap<string, readonly Series[]> => {
  const metrics = new Map<string, Series[]>();
  for (const series of all.value) {
    const of = metrics.get(series.metric);
    if (of === undefined) metrics.set(series.metric, [series]);
    else of.push(series);
  }
  const next = new Map<string, readonly Series[]>();
  for (const metric of [...metrics.keys()].sort()) {
    const of = (metrics.get(metric) ?? []).sort((a, b) => (a.run_id < b.run_id ? -1 : 1));
    const old = before.get(metric);
    next.set(metric, old?.length === of.length && of.every((series, i) => series === old[i]) ? old : of);
  }
  before = next;
  return next;
});
