import { count, share } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { cursor } from "../../shell/cursor";
import { useSize } from "../../shell/measure";
import { PhaseLegend } from "../../shell/PhaseLegend";
import { Strip } from "../../shell/Strip";
import { episodes } from "./episodes";

/** CSS pixels. */
const HEIGHT = 22;

/** A strip an episode, from its beginning: all in one scale, so that a longer one is longer. */
export function Chart() {
  const { ref, size } = useSize();
  const seen = episodes.value;
  const several = new Set(seen.map(({ model }) => model)).size > 1;
  const longest = Math.max(1, ...seen.map(({ windows }) => windows.length));
  const { at, chosen, choose, onKeyDown } = cursor(
    "episode",
    seen.map(({ episode, model }) => `${episode} ${model}`),
  );
  return (
    <div class="lanes">
      <div
        class="rows scroll"
        role="listbox"
        aria-label="Episodes as they were seen"
        tabIndex={0}
        aria-activedescendant={at < 0 ? undefined : `seen-${at}`}
        data-chosen={chosen !== undefined}
        onKeyDown={onKeyDown}
      >
        <div class="lane measure" role="presentation">
          <span class="track" ref={ref} />
        </div>
        {seen.map(({ episode, model, windows, right }, i) => {
          const id = `${episode} ${model}`;
          const name = several ? `${episode}, ${model}` : episode;
          const last = windows.at(-1);
          return (
            <div
              key={id}
              id={`seen-${i}`}
              class="lane"
              role="option"
              aria-selected={id === chosen}
              onClick={() => choose(id === chosen ? undefined : id)}
            >
              <span class="name" title={name}>
                {name}
              </span>
              <span class="track">
                <Strip cells={windows} room={windows.length} width={(size.value.width * windows.length) / longest} height={HEIGHT} />
              </span>
              <span class="value">
                {right === undefined ? `${count(windows.length)} windows` : `${share(right)} right`}
                {last !== undefined && <span class="unseen">, last {phaseNames[last.predicted]}</span>}
              </span>
            </div>
          );
        })}
      </div>
      <PhaseLegend />
    </div>
  );
}
