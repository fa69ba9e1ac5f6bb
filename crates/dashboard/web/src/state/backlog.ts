import type { Message } from "../wire/message";

const MANY = 1_000;
/** Characters, as they came. */
const LARGE = 8 << 20;

/** Messages that are not folded yet: folding copies what it touches, so they wait until they are many, or large, or someone needs the state. */
export class Backlog {
  #messages: Message[] = [];
  #size = 0;

  /** `size` is how many characters they had. */
  add(messages: readonly Message[], size: number): void {
    for (const message of messages) this.#messages.push(message);
    this.#size += size;
  }

  get isFull(): boolean {
    return this.#messages.length >= MANY || this.#size >= LARGE;
  }

  take(): Message[] {
    const messages = this.#messages;
    [this.#messages, this.#size] = [[], 0];
    return messages;
  }
}
