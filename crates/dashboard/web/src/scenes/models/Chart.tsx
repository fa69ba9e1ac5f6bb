import { fraction } from "../../format/number";
import { nameColour } from "../../palette/names";
import { markOf } from "../../points/stamp";
import { cursor } from "../../shell/cursor";
import { Swatch } from "../../shell/Swatch";
import { shade } from "../../view/theme";
import { modelSlots, ranking } from "./ranking";

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const percent = (value: number) => `${value * 100}%`;

export function Chart() {
  const ranked = ranking.value;
  const { chosen, listbox, option } = cursor(
    "model",
    ranked.map((metric) => metric.model),
  );
  return (
    <div class="bars" data-chosen={chosen !== undefined}>
      <div
        class="rows"
        aria-label="Models by macro F1"
        {...listbox}
      >
        {ranked.map(({ model, accuracy, low, high }, i) => {
          const slot = modelSlots.value.get(model) ?? 0;
          const colour = shade(nameColour(slot));
          return (
            <div
              key={model}
              class="bar"
              {...option(i)}
            >
              <span class="name" title={model}>
                <Swatch mark={markOf(slot)} colour={colour} />
                {model}
              </span>
              <span class="track">
                <span class="fill" style={{ width: percent(accuracy), background: colour }} />
                {low != null && high != null && (
                  <span class="interval" style={{ left: percent(low), width: percent(Math.max(0, high - low)) }} />
                )}
              </span>
              <span class="value">{fraction(accuracy)}</span>
              {low != null && high != null && (
                <span class="unseen">
                  , interval {fraction(low)} to {fraction(high)}
                </span>
              )}
            </div>
          );
        })}
      </div>
      <div class="bar axis" aria-hidden="true">
        <span class="track">
          {TICKS.map((tick) => (
            <span key={tick} style={{ left: percent(tick) }}>
              {tick}
            </span>
          ))}
        </span>
      </div>
    </div>
  );
}
