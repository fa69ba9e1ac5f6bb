import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const fleet: Scene = {
  id: "fleet",
  title: "Fleet",
  caption: "What the hosts have recorded so far; the newest 200 episodes by name",
  reads: ["snapshot", "episode"],
  filled: computed(() => store.newest("snapshot") !== undefined),
  empty: {
    text: "No episode has been received yet. A feeder that follows the data root fills this scene:",
    command: "feeders run --data-root DIR",
  },
  Chart,
  Table,
};
