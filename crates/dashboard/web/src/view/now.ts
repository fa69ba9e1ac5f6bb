import { signal } from "@preact/signals";

/** The time, to the second, for what is said of ages. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === "visible") now.value = Date.now();
}, 1_000);
