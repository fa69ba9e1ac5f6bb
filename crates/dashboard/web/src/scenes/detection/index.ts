import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { lanes } from "./lanes";
import { Table } from "./Table";

export const detection: Scene = {
  id: "detection",
  title: "Live detection",
  caption: "What the model says of each host, window by window; below it, what was really going on",
  reads: ["live_detection"],
  filled: computed(() => lanes.value.length > 0),
  empty: {
    text: "No host is being watched. A detector that follows what is being recorded fills this scene:",
    command: "knn detect --model F.fit --follow DIR/live",
  },
  Chart,
  Table,
};
