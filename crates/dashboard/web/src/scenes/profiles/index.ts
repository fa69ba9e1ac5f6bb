import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { Table } from "./Table";

export const profiles: Scene = {
  id: "profiles",
  title: "Attack profiles",
  caption: "How each kind of load runs through the phases: median over its episodes, and the band of the middle half",
  reads: ["attack_profile"],
  filled: computed(() => store.kept("attack_profile").value.length > 0),
  empty: {
    text: "No profile has been made yet. Recorded episodes become profiles:",
    command: "profiles produce --data-root DIR",
  },
  Chart,
  Table,
};
