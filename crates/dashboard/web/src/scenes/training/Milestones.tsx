import { compact } from "../../format/number";
import { nameColour } from "../../palette/names";
import { LineSample } from "../../shell/LineSample";
import type { Series } from "../../state/series";
import { shade } from "../../view/theme";
import { isOn, runSlots } from "./runs";

/** How long each run took to each milestone, as bars: the newest value of each. */
export function Milestones({ metrics }: { metrics: readonly (readonly [string, readonly Series[]])[] }) {
  return (
    <div class="milestones">
      {metrics.map(([metric, series]) => {
        const shown = series.filter(({ run_id }) => isOn(run_id)).map(({ run_id, points, unit }) => ({ run: run_id, value: points.at(-1)?.[1] ?? 0, unit }));
        const most = Math.max(...shown.map(({ value }) => value), Number.MIN_VALUE);
        return (
          <section key={metric} class="bars" aria-label={metric}>
            <h3>{metric}</h3>
            {shown.map(({ run, value, unit }) => {
              const slot = runSlots.value.get(run) ?? 0;
              const colour = shade(nameColour(slot));
              return (
                <div key={run} class="bar">
                  <span class="name" title={run}>
                    <LineSample slot={slot} colour={colour} />
                    {run}
                  </span>
                  <span class="track">
                    <span class="fill" style={{ width: `${(100 * Math.max(0, value)) / most}%`, background: colour }} />
                  </span>
                  <span class="value">
                    {compact(value)}
                    {unit !== undefined && <small> {unit}</small>}
                  </span>
                </div>
              );
            })}
          </section>
        );
      })}
    </div>
  );
}
