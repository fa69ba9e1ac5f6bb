import { computed } from "@preact/signals";
import { slots } from "../../palette/names";
import { store } from "../../state/store";

/** Models from best to worst; those that are equal by name. */
export const ranking = computed(() =>
  store.kept("model_metric").value.toSorted((a, b) => b.accuracy - a.accuracy || (a.model < b.model ? -1 : 1)),
);

/** One slot a name, the same in every scene that shows models. */
export const modelSlots = computed(() => {
  const names = [...store.kept("model_metric").value, ...store.kept("model_perf").value].map((event) => event.model);
  return slots([...new Set(names)]);
});
