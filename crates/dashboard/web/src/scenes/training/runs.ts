import { computed } from "@preact/signals";
import type { RunMeta } from "../../generated/events";
import type { Series } from "../../state/series";
import { store } from "../../state/store";
import { param, setParam } from "../../view/address";

/** Every series, oldest news first. */
const all = computed(() => store.kept("metric_points").value as unknown as readonly Series[]);

/** What is said of each run. */
export const metas = computed(
  (): ReadonlyMap<string, RunMeta> => new Map((store.newest("runs_meta")?.runs_meta ?? []).map((meta) => [meta.run_id, meta])),
);

/** What keeps runs from being read where they are: what is shown of them may be old. */
export const trouble = computed(() => store.newest("runs_meta")?.trouble);

let known: readonly string[] = [];

/** The runs that there are points of, the newest first; the same array while they are the same. */
export const runs = computed((): readonly string[] => {
  const began = (run: string) => metas.value.get(run)?.start_time ?? "";
  const names = [...new Set(all.value.map(({ run_id }) => run_id))];
  names.sort((a, b) => (began(a) === began(b) ? (a < b ? -1 : 1) : began(a) < began(b) ? 1 : -1));
  if (names.join("\n") !== known.join("\n")) known = names;
  return known;
});

let given: ReadonlyMap<string, number> = new Map();

/** A colour and a dash for each run, the oldest first: a run keeps its own while others come and go. */
export const runSlots = computed((): ReadonlyMap<string, number> => {
  const next = new Map(runs.value.filter((run) => given.has(run)).map((run) => [run, given.get(run)!]));
  const used = new Set(next.values());
  for (const run of runs.value.toReversed()) {
    if (next.has(run)) continue;
    let slot = 0;
    while (used.has(slot)) slot += 1;
    used.add(slot);
    next.set(run, slot);
  }
  given = next;
  return next;
});

const hidden = computed(() => param("off") ?? "");

/** The runs that are not drawn. */
export const off = computed((): ReadonlySet<string> => new Set(hidden.value.split(",").filter(Boolean).map(decoded)));

/** What somebody wrote into the address may be no such name. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

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
