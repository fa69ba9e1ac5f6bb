import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { losses } from "./losses";
import { Table } from "./Table";

export const loss: Scene = {
  id: "loss",
  title: "Loss",
  caption: "The newest 1,024 iterations; drag to look closer, double-click for all",
  reads: ["loss"],
  filled: computed(() => losses.value.length > 0),
  empty: { text: "No trainer reports its loss. One that posts its mini-batches to /rpc/batch_update fills this scene." },
  Chart,
  Table,
};
