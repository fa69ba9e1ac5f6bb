import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { newest } from "./newest";
import { Table } from "./Table";

export const alerts: Scene = {
  id: "alerts",
  title: "Alerts",
  caption: "What the hosts complain about, and what would help",
  reads: ["alert"],
  filled: computed(() => newest.value.length > 0),
  empty: {
    text: "No alert. A feeder that follows the data root brings them:",
    command: "feeders run --data-root DIR",
  },
  Chart,
  Table,
};
