import { share } from "../../format/number";
import { cursor } from "../../shell/cursor";
import { isRight, picture } from "./sample";
import { gathered, pause, paused, rate, set, WHOLE } from "./shown";

const PLACES = Array.from({ length: WHOLE }, (_, place) => place);

/** What the network saw, and in the same places what it said. */
export function Chart() {
  const tiles = set.value?.tiles ?? [];
  const { chosen, listbox, option } = cursor(
    "tile",
    tiles.map((_, place) => `${place + 1}`),
  );
  return (
    <div class="samples">
      <Progress />
      <div class="mosaics">
        <div class="mosaic" role="group" aria-label="Samples">
          {PLACES.map((place) => {
            const tile = tiles[place];
            return (
              <div key={place} class="tile" data-chosen={chosen === `${place + 1}`}>
                {tile !== undefined && <img src={picture(tile)} alt={`Sample ${tile.sample_id}`} draggable={false} />}
              </div>
            );
          })}
        </div>
        <div class="mosaic answers" aria-label="Predictions" {...listbox}>
          {PLACES.map((place) => {
            const tile = tiles[place];
            if (tile === undefined) return <div key={place} class="answer" role="presentation" />;
            const right = isRight(tile);
            return (
              <div key={place} class="answer" data-right={right} {...option(place)}>
                <span class="said">
                  <span class="verdict" aria-hidden="true">
                    {right ? "✓" : "✗"}
                  </span>
                  {tile.prediction}
                </span>
                <span class="really">{right ? <span class="unseen">right</span> : <>is {tile.ground_truth}</>}</span>
                <span class="sure">{share(tile.confidence)}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** How far the next set is, how many there are a second, and the way to stop them. */
function Progress() {
  const count = gathered.value;
  const ready = count === WHOLE;
  const tiles = set.value;
  const right = tiles?.tiles.filter(isRight).length ?? 0;
  return (
    <div class="gathering">
      <span class="badge" data-ready={ready}>
        {ready ? "ready" : "aggregating"} {count}/{WHOLE}
      </span>
      {tiles !== undefined && (
        <span>
          iteration {tiles.iteration}, {right} of {tiles.tiles.length} right
        </span>
      )}
      <span class="rate">{paused.value ? "paused" : `${rate.value.toFixed(1)} FPS`}</span>
      <button type="button" aria-pressed={paused.value} onClick={pause}>
        {paused.value ? "Resume" : "Pause"}
      </button>
    </div>
  );
}
