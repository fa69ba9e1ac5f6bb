import { computed, effect, signal } from "@preact/signals";
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

/** Updates are counted over so long, ms. */
const SPAN = 3_000;

const whole = signal<{ epoch: string; tiles: Tiles } | undefined>(undefined);
const painted = signal<readonly number[]>([]);

let last: number | undefined;
effect(() => {
  const tiles = newest.value;
  if (tiles?.ready) whole.value = { epoch: seen.peek().epoch, tiles };
  // The first was there before anybody looked.
  if (tiles !== undefined && last !== undefined && tiles.seq !== last) painted.value = [...painted.peek(), Date.now()].filter(isRecent);
  last = tiles?.seq;
});

const isRecent = (at: number) => Date.now() - at < SPAN;

/** The newest set that is whole, and while there was none the one that gathers. */
export const set = computed((): Tiles | undefined => {
  const tiles = newest.value;
  return tiles === undefined || whole.value?.epoch !== seen.value.epoch ? tiles : whole.value.tiles;
});

/** How many samples the newest set has. */
export const gathered = computed(() => newest.value?.filled ?? 0);

/** Updates a second, as they are painted. */
export const rate = computed(() => painted.value.filter((at) => now.value - at < SPAN).length / (SPAN / 1_000));
