import { count, share } from "../../format/number";
import type { Counts } from "../../points/counts";
import { MARKS_UP_TO, markOf } from "../../points/stamp";
import { Swatch } from "../../shell/Swatch";
import { setParam } from "../../view/address";
import { shade } from "../../view/theme";
import { categoryName, colouring, only, pairs } from "./colouring";

/** Categories with their counts. Choosing one lets the others fade. */
export function Legend({ counts }: { counts: Counts }) {
  const by = colouring();
  const chosen = only();
  const name = categoryName[by];
  return (
    <ul class="legend" data-chosen={chosen !== null}>
      {[...counts.by[by]].map((n, category) => {
        const pair = pairs[by][category % pairs[by].length];
        if (n === 0 || pair === undefined) return null;
        return (
          <li key={category}>
            <button
              type="button"
              aria-pressed={category === chosen}
              onClick={() => setParam("only", category === chosen ? undefined : String(category))}
            >
              <Swatch mark={counts.points <= MARKS_UP_TO ? markOf(category) : "square"} colour={shade(pair)} />
              <span class="name">{name(category)}</span>
              <span class="value">{count(n)}</span>
              <span class="share">{share(n / counts.points)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
