import { entries } from "../../state/state";
import { store } from "../../state/store";
import type { Received } from "../../wire/message";

export interface Unshown {
  type: string;
  kept: number;
  newest: Received;
}

/** What is kept of types that are not in `shown`. */
export function unshown(shown: readonly string[]): Unshown[] {
  return [...store.shown.value.kept]
    .filter(([type]) => !shown.includes(type))
    .flatMap(([type, kept]) => {
      const events = entries(kept);
      const newest = events.at(-1);
      return newest === undefined ? [] : [{ type, kept: events.length, newest }];
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}
