import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const latency: Scene = {
  id: "latency",
  title: "Cost of a decision",
  caption: "Macro F1 against the time to classify one window",
  reads: ["model_perf"],
  filled: computed(() => store.kept("model_perf").value.length > 0),
  empty: {
    text: "No model has reported its latency yet. Reports with a latency fill this scene:",
    command: "multi-model-metrics --reports DIR",
  },
  Chart,
  Table,
};
