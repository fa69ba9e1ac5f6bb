import { compact, count } from "../../format/number";
import { phaseColours } from "../../palette/phases";
import { cursor } from "../../shell/cursor";
import { store } from "../../state/store";
import { shade } from "../../view/theme";
import type { Received } from "../../wire/message";
import { sections } from "./sections";

/** Of the drawing, which is stretched: a point is 1 wide. */
const HEIGHT = 40;

/** One small chart a profile: the median over its episodes in the band of its quartiles, with the phases below. */
export function Chart() {
  const profiles = store.kept("attack_profile").value.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const { listbox, option } = cursor(
    "profile",
    profiles.map(({ name }) => name),
  );
  return (
    <div
      class="profiles"
      aria-label="Profiles"
      aria-orientation="horizontal"
      {...listbox}
    >
      {profiles.map((profile, i) => (
        <div
          key={profile.name}
          class="profile"
          {...option(i)}
        >
          <Envelope profile={profile} />
        </div>
      ))}
    </div>
  );
}

function Envelope({ profile: { name, channel, unit, episodes, median, p25, p75, phase_budget } }: { profile: Received<"attack_profile"> }) {
  const top = Math.max(Number.MIN_VALUE, ...p75);
  const bottom = Math.min(0, ...p25);
  const y = (value: number) => (HEIGHT * (top - value)) / (top - bottom);
  // The middle of each point.
  const line = (values: readonly number[]) => values.map((value, i) => `${i + 0.5} ${y(value).toFixed(2)}`);
  const parts = sections(phase_budget);
  return (
    <>
      <h3 class="name">{name}</h3>
      <p class="caption" title={channel}>
        {channel}, {count(episodes)} {episodes === 1 ? "episode" : "episodes"}
      </p>
      <p class="most">
        {compact(top)} {unit}
      </p>
      <svg viewBox={`0 0 ${median.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {parts.slice(1).map(({ id, from }) => (
          <line key={id} class="edge" x1={from} x2={from} y1={0} y2={HEIGHT} />
        ))}
        <path class="band" d={`M${line(p75).join("L")}L${line(p25).reverse().join("L")}Z`} />
        <path class="median" d={`M${line(median).join("L")}`} />
      </svg>
      <p class="parts">
        {parts.map(({ id, phase, name, points }) => (
          <span key={id} style={{ flexGrow: points, borderColor: phase === undefined ? undefined : shade(phaseColours[phase]) }} title={name}>
            {name}
          </span>
        ))}
      </p>
    </>
  );
}
