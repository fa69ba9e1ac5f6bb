import { type Pair } from "../../palette/colour";
import { namePairs } from "../../palette/names";
import { phaseNames, phasePairs, verdictPairs } from "../../palette/phases";
import { PHASES } from "../../points/columns";
import { COLOURINGS, type Colouring } from "../../points/counts";
import { param } from "../../view/address";

/** What the colours stand for now; it stands in the address. */
export function colouring(): Colouring {
  return COLOURINGS.find((known) => known === param("colour")) ?? "phase";
}

/** The one category that is looked at, if any. */
export function only(): number | null {
  const category = Number(param("only") ?? Number.NaN);
  return Number.isInteger(category) && category >= 0 && category < 256 ? category : null;
}

export const colouringNames: Record<Colouring, string> = {
  phase: "Phase",
  predicted: "Predicted",
  cluster: "Cluster",
  verdict: "Right or wrong",
};

const phase = (category: number) => phaseNames[PHASES[category] ?? "clean"];

/** What a category is called. */
export const categoryName: Record<Colouring, (category: number) => string> = {
  phase,
  predicted: phase,
  cluster: (category) => `Cluster ${category}`,
  verdict: (category) => (category === 0 ? "Right" : "Wrong"),
};

export const pairs: Record<Colouring, readonly Pair[]> = {
  phase: phasePairs,
  predicted: phasePairs,
  cluster: namePairs,
  verdict: verdictPairs,
};
