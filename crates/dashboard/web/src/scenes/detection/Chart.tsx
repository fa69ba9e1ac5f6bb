import { retention } from "../../generated/events";
import { fraction } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { cursor } from "../../shell/cursor";
import { useSize } from "../../shell/measure";
import { PhaseLegend } from "../../shell/PhaseLegend";
import { Strip } from "../../shell/Strip";
import { lanes } from "./lanes";

/** Windows of a host that are kept. */
const CELLS = retention.live_detection?.perGroup ?? 60;
/** CSS pixels. */
const HEIGHT = 22;

/** A lane a host, its newest windows at the right. */
export function Chart() {
  const { ref, size } = useSize();
  const { at, chosen, choose, onKeyDown } = cursor(
    "host",
    lanes.value.map(({ host }) => host),
  );
  return (
    <div class="lanes">
      <div
        class="rows scroll"
        role="listbox"
        aria-label="Hosts as they are seen now"
        tabIndex={0}
        aria-activedescendant={at < 0 ? undefined : `lane-${at}`}
        data-chosen={chosen !== undefined}
        onKeyDown={onKeyDown}
      >
        <div class="lane measure" role="presentation">
          <span class="track" ref={ref} />
        </div>
        {lanes.value.map(({ host, detections }, i) => {
          const newest = detections.at(-1);
          if (newest === undefined) return null;
          const { predicted, phase, confidence, window_idx } = newest;
          return (
            <div
              key={host}
              id={`lane-${i}`}
              class="lane"
              role="option"
              data-window={window_idx ?? undefined}
              aria-selected={host === chosen}
              onClick={() => choose(host === chosen ? undefined : host)}
            >
              <span class="name" title={host}>
                {host}
              </span>
              <span class="track">
                <Strip cells={detections} room={CELLS} width={size.value.width} height={HEIGHT} />
              </span>
              <span class="value">
                {phaseNames[predicted]} <small>{fraction(confidence)}</small>
                {phase != null && phase !== predicted && <span class="unseen">, really {phaseNames[phase]}</span>}
              </span>
            </div>
          );
        })}
      </div>
      <PhaseLegend />
    </div>
  );
}
