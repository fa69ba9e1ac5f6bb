import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Received } from "../../wire/message";

export type Prediction = Received<"prediction">;

/** An episode as one model saw it. */
export interface Seen {
  episode: string;
  model: string;
  /** By window. */
  windows: readonly Prediction[];
  /** Of those whose phase is known, the share that is right. */
  right: number | undefined;
}

/** Episodes on show, the newest first. */
const SHOWN = 24;

const made = new WeakMap<object, { newest: number; seen: Seen[] }>();

export const episodes = computed((): Seen[] =>
  [...(store.shown.value.kept.get("prediction")?.values() ?? [])]
    .map((group) => {
      let known = made.get(group);
      if (known === undefined) {
        const windows = [...group.values()] as Prediction[];
        known = { newest: Math.max(...windows.map(({ seq }) => seq)), seen: byModel(windows) };
        made.set(group, known);
      }
      return known;
    })
    .sort((a, b) => b.newest - a.newest)
    .slice(0, SHOWN)
    .flatMap(({ seen }) => seen),
);

export function byModel(windows: readonly Prediction[]): Seen[] {
  const models = [...new Set(windows.map(({ model }) => model))].sort();
  return models.map((model) => {
    const inOrder = windows.filter((window) => window.model === model).sort((a, b) => a.window_idx - b.window_idx);
    const known = inOrder.filter(({ phase }) => phase != null);
    const right = known.filter(({ phase, predicted }) => phase === predicted).length;
    return {
      episode: inOrder[0]?.episode_id ?? "",
      model,
      windows: inOrder,
      right: known.length === 0 ? undefined : right / known.length,
    };
  });
}
