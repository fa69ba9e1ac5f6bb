import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const models: Scene = {
  id: "models",
  title: "Models",
  caption: "Macro F1, full scale, with its interval",
  reads: ["model_metric"],
  filled: computed(() => store.kept("model_metric").value.length > 0),
  empty: {
    text: "No model has reported yet. The reports of the observed models fill this scene:",
    command: "multi-model-metrics --reports DIR",
  },
  Chart,
  Table,
};
