import { computed, effect, signal } from "@preact/signals";
import { store } from "../../state/store";
import { runs } from "./runs";
import type { Tab } from "./tabs";

/** The tabs that the broadcaster was given, once they are known. */
export const configured = signal<readonly Tab[] | undefined>(undefined);

/** Asked for where there are runs, with every connection: another broadcaster may have others. */
const wanted = computed(() => store.status.value.phase === "live" && runs.value.length > 0);

effect(() => {
  if (!wanted.value) return;
  load().catch(() => {
    // What is not known hides nothing.
    configured.value ??= [];
  });
});

async function load(): Promise<void> {
  const answer = await fetch("tabs.json", { signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  configured.value = (await answer.json()) as readonly Tab[];
}
