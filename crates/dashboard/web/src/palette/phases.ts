import type { Phase } from "../generated/events";
import { PHASES } from "../points/columns";
import type { Pair } from "./colour";

/** Chosen to stay apart for every kind of colour vision; a test holds them to it. */
export const phaseColours: Record<Phase, Pair> = {
  clean: { light: "#0f52ba", dark: "#3a72bd" },
  armed: { light: "#e3a72f", dark: "#fae799", strong: "#b98723" },
  infecting: { light: "#b3400e", dark: "#b5540f" },
  infected_running: { light: "#5a0f45", dark: "#ff8bf4" },
  dormant: { light: "#8d93a1", dark: "#8f9091" },
};

export const phaseNames: Record<Phase, string> = {
  clean: "Clean",
  armed: "Armed",
  infecting: "Infecting",
  infected_running: "Infected, running",
  dormant: "Dormant",
};

export const phasePairs: readonly Pair[] = PHASES.map((phase) => phaseColours[phase]);

/** Right, wrong. */
export const verdictPairs: readonly Pair[] = [
  { light: "#a3a8b3", dark: "#5d636e", strong: "#8b8f9a" },
  { light: "#b3400e", dark: "#ff9452" },
];
