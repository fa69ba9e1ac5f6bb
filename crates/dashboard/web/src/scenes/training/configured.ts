import { computed, effect, signal } from "@preact/signals";
import { store } from "../../state/store";
import { runs, trouble } from "./runs";
import type { Tab } from "./tabs";

/** The tabs that the broadcaster was given, once they are known. */
export const configured = signal<readonly Tab[] | undefined>(undefined);

/** Asked for where this scene is filled, with every connection: another broadcaster may have others. */
const wanted = computed(() => store.status.value.phase === "live" && (runs.value.length > 0 || trouble.value !== undefined));

effect(() => {
  if (!wanted.value) return;
  const gone = new AbortController();
  load(AbortSignal.any([gone.signal, AbortSignal.timeout(5_000)])).catch(() => {
    // What is not known hides nothing.
    if (!gone.signal.aborted) configured.value ??= [];
  });
  return () => gone.abort();
});

async function load(signal: AbortSignal): Promise<void> {
  const answer = await fetch("tabs.json", { signal });
  if (!answer.ok) throw new Error(`${answer.status}`);
  configured.value = (await answer.json()) as readonly Tab[];
}
