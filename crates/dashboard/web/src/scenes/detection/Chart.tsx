import { retention } from "../../generated/events";
import { fraction } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { type Lane, Lanes } from "../../shell/Lanes";
import { lanes } from "./lanes";

/** Windows of a host that are kept. */
const CELLS = retention.live_detection?.perGroup ?? 60;

/** A lane a host, its newest windows at the right. */
export function Chart() {
  const hosts = lanes.value.flatMap(({ host, detections }): Lane[] => {
    const newest = detections.at(-1);
    if (newest === undefined) return [];
    const { predicted, phase, confidence, window_idx } = newest;
    const value = (
      <>
        {phaseNames[predicted]} <small>{fraction(confidence)}</small>
        {phase != null && phase !== predicted && <span class="unseen">, really {phaseNames[phase]}</span>}
      </>
    );
    return [{ id: host, name: host, cells: detections, room: CELLS, share: 1, newest: window_idx ?? undefined, value }];
  });
  return <Lanes of="host" label="Hosts as they are seen now" lanes={hosts} />;
}
