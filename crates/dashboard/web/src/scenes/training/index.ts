import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { runs, trouble } from "./runs";
import { Table } from "./Table";

export const training: Scene = {
  id: "training",
  title: "Training runs",
  caption: "What each run measured, all runs of a metric over one axis; a run that is pointed at stands out everywhere",
  reads: ["metric_points", "runs_meta"],
  filled: computed(() => runs.value.length > 0 || trouble.value !== undefined),
  empty: { text: "No run has published metric_points. Whoever trains and publishes them, as scripts/training-client does, fills this scene." },
  Chart,
  Table,
};
