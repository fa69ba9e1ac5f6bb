import { computed } from "@preact/signals";
import { store } from "../../state/store";
import type { Received } from "../../wire/message";

export type Detection = Received<"live_detection">;

export interface Lane {
  host: string;
  /** Oldest first; the same array while nothing came. */
  detections: readonly Detection[];
}

const made = new WeakMap<object, Lane>();

/** What was said of each host, by name. */
export const lanes = computed((): Lane[] =>
  [...(store.shown.value.kept.get("live_detection")?.values() ?? [])]
    .map((group) => {
      let lane = made.get(group);
      if (lane === undefined) {
        const detections = [...group.values()] as Detection[];
        lane = { host: detections[0]?.host_id ?? "", detections };
        made.set(group, lane);
      }
      return lane;
    })
    .sort((a, b) => (a.host < b.host ? -1 : 1)),
);
