import { computed, signal } from "@preact/signals";
import { isOn, runs } from "./runs";

const pointed = signal<string | undefined>(undefined);

/** The run that is pointed at, in whatever chart or list, while it is drawn: it stands out everywhere. */
export const chosenRun = computed(() => {
  const { value: run } = pointed;
  return run !== undefined && runs.value.includes(run) && isOn(run) ? run : undefined;
});

export function choose(run: string | undefined): void {
  pointed.value = run;
}
