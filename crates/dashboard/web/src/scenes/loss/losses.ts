import { computed } from "@preact/signals";
import { entries } from "../../state/state";
import type { Received } from "../../wire/message";
import { seen } from "../samples/shown";

export type Loss = Received<"loss">;

/** The losses of the newest training: one that begins anew begins its curve anew. */
export function ofNewest(losses: readonly Loss[]): readonly Loss[] {
  const begins = losses.findLastIndex(({ iteration }, i) => iteration <= (losses[i - 1]?.iteration ?? Number.NEGATIVE_INFINITY));
  return begins < 0 ? losses : losses.slice(begins);
}

const kept = computed(() => seen.value.kept.get("loss"));

/** Oldest first; the same array while none came. */
export const losses = computed(() => ofNewest(entries<"loss">(kept.value)));
