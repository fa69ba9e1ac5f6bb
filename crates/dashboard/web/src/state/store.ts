import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { EventType } from "../generated/events";
import type { News } from "../link/relay";
import { type Status, unconnected } from "../link/status";
import type { Message, Received } from "../wire/message";
import { fold } from "./fold";
import { entries, nothing, type State } from "./state";

/** Unseen messages are folded when there are this many, also while nobody looks. */
const PENDING = 2_000;

/**
 * What the page shows. Messages only gather; one animation frame folds them and marks what changed, so a hidden tab draws nothing.
 * While a join is incomplete the last complete state stays on show.
 */
export class Store {
  readonly status = signal<Status>(unconnected);
  readonly shown = signal<State>(nothing);
  /** When an event of a type last arrived live. */
  readonly arrivals = signal<ReadonlyMap<string, number>>(new Map());
  #incoming: State = nothing;
  #pending: Message[] = [];
  #asked = false;
  readonly #kept = new Map<string, ReadonlySignal<Received[]>>();

  hear({ status, messages }: News): void {
    this.status.value = status;
    if (messages.length === 0) return;
    for (const message of messages) this.#pending.push(message);
    if (this.#pending.length >= PENDING) this.#fold();
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#fold();
      if (this.#incoming.complete) this.shown.value = this.#incoming;
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

  #fold(): void {
    if (this.#pending.length === 0) return;
    // What a join brings is not news.
    if (this.#incoming.complete) {
      const at = Date.now();
      this.arrivals.value = new Map([...this.arrivals.peek(), ...this.#pending.map(({ type }) => [type, at] as const)]);
    }
    this.#incoming = fold(this.#incoming, this.#pending);
    this.#pending = [];
  }
}

export const store = new Store();
