import { computed } from "@preact/signals";
import type { Scene } from "../scene";
import { Chart } from "./Chart";
import { unshown } from "./unshown";

/** Events of types that no scene shows yet, so that nothing that arrives is invisible. Not on the wall while there are none. */
export const received: Scene = {
  id: "received",
  title: "Also received",
  caption: "Events that no scene of this page shows",
  reads: [],
  filled: computed(() => unshown.value.length > 0),
  empty: { text: "Every event that arrived is shown by a scene." },
  Chart,
};
