import { count, share } from "../../format/number";
import { duration } from "../../format/time";
import { phaseColours, phaseNames } from "../../palette/phases";
import { Swatch } from "../../shell/Swatch";
import { store } from "../../state/store";
import { shade } from "../../view/theme";
import { rows } from "./rows";

export function Chart() {
  const mix = store.newest("phase_mix");
  if (mix === undefined) return null;
  const most = Math.max(Number.MIN_VALUE, ...rows.value.map(({ share }) => share));
  return (
    <div class="mix">
      <div class="bars">
        <ul class="rows">
          {rows.value.map(({ phase, seconds, share: part }) => (
            <li class="bar" key={phase}>
              <span class="name">
                <Swatch mark="square" colour={shade(phaseColours[phase])} />
                {phaseNames[phase]}
              </span>
              <span class="plain track">
                <span class="fill" style={{ width: `${(100 * part) / most}%`, background: shade(phaseColours[phase]) }} />
              </span>
              <span class="value">
                {share(part)} <small>{duration(seconds)}</small>
              </span>
            </li>
          ))}
        </ul>
      </div>
      <p class="caption">
        From {count(mix.sampled_episodes)} of {count(mix.population_episodes)} episodes, {count(mix.total_labels)} labels
      </p>
    </div>
  );
}
