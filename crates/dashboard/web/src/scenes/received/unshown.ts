import { computed } from "@preact/signals";
import { scenes } from "..";
import { store } from "../../state/store";
import type { Received } from "../../wire/message";

export interface Unshown {
  type: string;
  kept: number;
  newest: Received;
}

/** What is kept of types that no scene shows, by name. */
export const unshown = computed(() => {
  const shown = new Set<string>(scenes.flatMap((scene) => scene.reads));
  return [...store.shown.value.kept]
    .filter(([type]) => !shown.has(type))
    .flatMap(([type, groups]): Unshown[] => {
      let kept = 0;
      let newest: Received | undefined;
      for (const group of groups.values()) {
        kept += group.size;
        for (const event of group.values()) if (newest === undefined || event.seq > newest.seq) newest = event;
      }
      return newest === undefined ? [] : [{ type, kept, newest }];
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1));
});
