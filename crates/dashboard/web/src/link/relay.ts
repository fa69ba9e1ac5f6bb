import { Backlog } from "../state/backlog";
import { fold } from "../state/fold";
import { everything, nothing, type State } from "../state/state";
import type { Message } from "../wire/message";
import { type Status, unconnected } from "./status";

/** What a tab is told: how the link stands, and what arrived. */
export interface News {
  status: Status;
  messages: Message[];
  /** How many characters they came in. */
  size: number;
}

/** What a tab says. */
export type Word = "wake" | "bye";

export interface Port {
  postMessage(news: News): void;
}

/**
 * One connection for all tabs of a browser: a small broadcaster of its own. A tab that joins is sent what it would be sent by the
 * real one (hello, what is kept, ready), at once and whether or not the real one can be reached; then both hear the same messages.
 */
export class Relay {
  readonly #tabs = new Set<Port>();
  #state: State = nothing;
  readonly #backlog = new Backlog();
  #status = unconnected;

  join(tab: Port): void {
    this.#tabs.add(tab);
    const state = this.#fold();
    const { epoch, seq, complete } = state;
    const messages: Message[] = [];
    if (epoch !== "") messages.push({ type: "hello", epoch, seq, resumed: false, protocol: 1 }, ...everything(state));
    if (complete) messages.push({ type: "ready", seq });
    tab.postMessage({ status: this.#status, messages, size: 0 });
  }

  leave(tab: Port): void {
    this.#tabs.delete(tab);
  }

  hear(status: Status, messages: Message[], size: number): void {
    this.#status = status;
    this.#backlog.add(messages, size);
    if (this.#backlog.isFull) this.#fold();
    for (const tab of this.#tabs) tab.postMessage({ status, messages, size });
  }

  #fold(): State {
    this.#state = fold(this.#state, this.#backlog.take());
    return this.#state;
  }
}
