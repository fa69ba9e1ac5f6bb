import { signal } from "@preact/signals";

/** The run that is pointed at, in whatever chart or list: it stands out everywhere. */
export const chosenRun = signal<string | undefined>(undefined);
