import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { EventType } from "../generated/events";
import type { News } from "../link/relay";
import { type Status, unconnected } from "../link/status";
import type { Message, Received } from "../wire/message";
import { Backlog } from "./backlog";
import { fold } from "./fold";
import { entries, nothing, type State } from "./state";

/**
 * What the page shows. News only gathers; one animation frame folds it and marks what changed, so a hidden tab draws nothing.
 * While a join is incomplete the last complete state stays on show.
 */
export class Store {
  readonly status = signal<Status>(unconnected);
  readonly shown = signal<State>(nothing);
  /** When an event of a type last arrived live, ms since 1970. */
  readonly arrivals = signal<ReadonlyMap<string, number>>(new Map());
  /** Since when nothing was heard, if what is shown may have changed by now; ms since 1970. */
  readonly old = computed(() => (this.status.value.phase === "reconnecting" ? this.status.value.heard : null));
  #status = unconnected;
  #incoming: State = nothing;
  readonly #backlog = new Backlog();
  #joining = true;
  readonly #arrived = new Map<string, number>();
  #asked = false;
  readonly #kept = new Map<string, ReadonlySignal<Received[]>>();

  hear({ status, messages, size }: News): void {
    this.#status = status;
    this.#backlog.add(messages, size);
    for (const message of messages) this.#note(message);
    // Also while nobody looks.
    if (this.#backlog.isFull) this.#fold();
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#show();
    });
  }

  /** The events kept of a type, oldest first. Changes only when they do. */
  kept<T extends EventType>(type: T): ReadonlySignal<Received<T>[]> {
    let events = this.#kept.get(type);
    if (events === undefined) {
      const groups = computed(() => this.shown.value.kept.get(type));
      events = computed(() => entries(groups.value));
      this.#kept.set(type, events);
    }
    return events as ReadonlySignal<Received<T>[]>;
  }

  /** The newest event of a type. */
  newest<T extends EventType>(type: T): Received<T> | undefined {
    return this.kept(type).value.at(-1);
  }

  /** What a join, or a skip, brings is not news: it happened before. */
  #note({ type }: Message): void {
    if (type === "hello" || type === "skipped") this.#joining = true;
    else if (type === "ready") this.#joining = false;
    else if (type !== "evicted" && !this.#joining) this.#arrived.set(type, Date.now());
  }

  #fold(): void {
    const messages = this.#backlog.take();
    if (messages.length > 0) this.#incoming = fold(this.#incoming, messages);
  }

  #show(): void {
    this.status.value = this.#status;
    this.#fold();
    if (!this.#incoming.complete) return;
    this.shown.value = this.#incoming;
    if (this.#arrived.size === 0) return;
    this.arrivals.value = new Map([...this.arrivals.peek(), ...this.#arrived]);
    this.#arrived.clear();
  }
}

export const store = new Store();
