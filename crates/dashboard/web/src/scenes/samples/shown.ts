import { computed, signal } from "@preact/signals";
import { entries, type State } from "../../state/state";
import { store } from "../../state/store";
import { now } from "../../view/now";
import type { Received } from "../../wire/message";

export type Tiles = Received<"tiles">;

/** Samples of a whole set. */
export const WHOLE = 16;

/** What is looked at while it is paused. */
const held = signal<State | undefined>(undefined);

export const paused = computed(() => held.value !== undefined);

/** Nothing moves until it is called again; then the newest is there at once. */
export function pause(): void {
  held.value = held.peek() === undefined ? store.shown.peek() : undefined;
}

/** The state that is looked at. */
export const seen = computed(() => held.value ?? store.shown.value);

const newest = computed((): Tiles | undefined => entries<"tiles">(seen.value.kept.get("tiles")).at(-1));

let whole: Tiles | undefined;

/** The newest set that is whole, and while there was none the one that gathers. */
export const set = computed((): Tiles | undefined => {
  const tiles = newest.value;
  if (tiles === undefined || tiles.ready) whole = tiles;
  return whole ?? tiles;
});

/** How many samples the newest set has. */
export const gathered = computed(() => newest.value?.filled ?? 0);

/** Sets are counted over so long, ms. */
const SPAN = 3_000;

let painted: readonly number[] = [];
let last: number | undefined;

/** Sets a second, as they are painted. */
export const rate = computed(() => {
  const seq = newest.value?.seq;
  const time = Math.max(Date.now(), now.value);
  // The first was there before anybody looked.
  if (seq !== last && last !== undefined) painted = [...painted, time];
  last = seq;
  painted = painted.filter((at) => time - at < SPAN);
  return painted.length / (SPAN / 1_000);
});
