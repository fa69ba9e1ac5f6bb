import { phaseColours, phaseNames } from "../palette/phases";
import { PHASES } from "../points/columns";
import { shade } from "../view/theme";
import { Swatch } from "./Swatch";

/** The colours of the phases, and what a hole means. */
export const PhaseLegend = () => (
  <ul class="phase-legend">
    {PHASES.map((phase) => (
      <li key={phase}>
        <Swatch mark="square" colour={shade(phaseColours[phase])} />
        {phaseNames[phase]}
      </li>
    ))}
    <li>
      <Swatch mark="ring" colour="currentColor" />
      Wrong: a hole
    </li>
  </ul>
);
