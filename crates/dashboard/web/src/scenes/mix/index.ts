import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const mix: Scene = {
  id: "mix",
  title: "Where the time goes",
  caption: "Time by phase, estimated from a sample of the episodes",
  reads: ["phase_mix"],
  filled: computed(() => store.newest("phase_mix") !== undefined),
  empty: {
    text: "No episode has been sampled yet. A feeder that follows the data root fills this scene:",
    command: "feeders run --data-root DIR",
  },
  Chart,
  Table,
};
