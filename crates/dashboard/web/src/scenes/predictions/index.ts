import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { episodes } from "./episodes";
import { Table } from "./Table";

export const predictions: Scene = {
  id: "predictions",
  title: "Along an episode",
  caption: "What was said of each window of the newest episodes; below it, what it was",
  reads: ["prediction"],
  filled: computed(() => episodes.value.length > 0),
  empty: {
    text: "No window of an episode has been classified yet. A detector fills this scene:",
    command: "knn detect --model F.fit --follow DIR/live",
  },
  Chart,
  Table,
};
