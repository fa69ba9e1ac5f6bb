import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const embedding: Scene = {
  id: "embedding",
  title: "Embedding",
  caption: "One point is one window of telemetry; near points are alike",
  reads: ["embedding", "embedding_snapshot"],
  filled: computed(() => store.newest("embedding_snapshot") !== undefined || store.kept("embedding").value.length > 0),
  empty: {
    text: "No window has been placed yet. A fit, streamed from its file, fills this scene:",
    command: "knn stream --load-fit F.parquet",
  },
  Chart,
  Table,
};
