import { computed } from "@preact/signals";
import type { Phase } from "../../generated/events";
import { PHASES } from "../../points/columns";
import { store } from "../../state/store";

export interface Row {
  phase: Phase;
  seconds: number;
  /** Of all seconds. */
  share: number;
  labels: number;
}

/** The phases in their order, with what is known of each. */
export const rows = computed((): Row[] => {
  const mix = store.newest("phase_mix");
  if (mix === undefined) return [];
  const seconds = PHASES.map((phase) => mix.weighted_seconds[phase] ?? 0);
  const all = seconds.reduce((sum, one) => sum + one, 0);
  return PHASES.map((phase, i) => ({
    phase,
    seconds: seconds[i] ?? 0,
    share: all === 0 ? 0 : (seconds[i] ?? 0) / all,
    labels: mix.counts[phase] ?? 0,
  }));
});
