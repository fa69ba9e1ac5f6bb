import { count, share } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { Lanes } from "../../shell/Lanes";
import { episodes } from "./episodes";

/** A strip an episode, from its beginning: all in one scale, so that a longer one is longer. */
export function Chart() {
  const seen = episodes.value;
  const several = new Set(seen.map(({ model }) => model)).size > 1;
  const longest = Math.max(1, ...seen.map(({ windows }) => windows.length));
  const lanes = seen.map(({ episode, model, windows, right }) => {
    const last = windows.at(-1);
    return {
      id: `${episode} ${model}`,
      name: several ? `${episode}, ${model}` : episode,
      cells: windows,
      room: windows.length,
      share: windows.length / longest,
      value: (
        <>
          {right === undefined ? `${count(windows.length)} windows` : `${share(right)} right`}
          {last !== undefined && <span class="unseen">, last {phaseNames[last.predicted]}</span>}
        </>
      ),
    };
  });
  return <Lanes of="episode" label="Episodes as they were seen" lanes={lanes} />;
}
