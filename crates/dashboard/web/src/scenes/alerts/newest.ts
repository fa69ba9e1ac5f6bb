import { computed } from "@preact/signals";
import { store } from "../../state/store";

/** Alerts, the newest first. */
export const newest = computed(() => store.kept("alert").value.toReversed());
