import { nameColour } from "../../palette/names";
import { LineSample } from "../../shell/LineSample";
import { shade } from "../../view/theme";
import { choose } from "./chosen";
import { isOn, metas, runs, runSlots, show } from "./runs";

/** Every run, to be drawn or not; it says whether points still come. */
export function Runs() {
  const on = runs.value.filter(isOn);
  const turn = (run: string) => show(on.includes(run) ? on.filter((other) => other !== run) : [...on, run]);
  return (
    <div class="runs" role="group" aria-label="Runs">
      {runs.value.map((run) => {
        const slot = runSlots.value.get(run) ?? 0;
        // Of one that nothing is said of yet the points came a moment ago.
        const active = metas.value.get(run)?.is_active ?? true;
        return (
          <button
            key={run}
            type="button"
            class="run"
            data-active={active}
            aria-pressed={isOn(run)}
            onClick={() => turn(run)}
            onMouseEnter={() => choose(run)}
            onMouseLeave={() => choose(undefined)}
            onFocus={() => choose(run)}
            onBlur={() => choose(undefined)}
          >
            <LineSample slot={slot} colour={shade(nameColour(slot))} />
            {run}
            <span class="lamp" title={active ? "active" : "over"}>
              <span class="unseen">{active ? ", active" : ", over"}</span>
            </span>
          </button>
        );
      })}
      {runs.value.length > 1 && (
        <span class="tools">
          <button type="button" disabled={on.length === runs.value.length} onClick={() => show(runs.value)}>
            All
          </button>
          <button type="button" disabled={on.length === 0} onClick={() => show([])}>
            None
          </button>
        </span>
      )}
    </div>
  );
}
