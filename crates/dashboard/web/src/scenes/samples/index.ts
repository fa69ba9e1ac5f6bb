import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { set } from "./shown";
import { Table } from "./Table";

export const samples: Scene = {
  id: "samples",
  title: "Mini-batch",
  caption: "What the network is shown, and in the same places what it says; ✗ is wrong",
  reads: ["tiles"],
  filled: computed(() => set.value !== undefined),
  empty: { text: "No trainer shows its mini-batches. One that posts them to /rpc/batch_update fills this scene." },
  Chart,
  Table,
};
