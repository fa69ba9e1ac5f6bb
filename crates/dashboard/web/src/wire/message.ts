import type { Event, EventType, EvictedSession, HelloSession, ReadySession, SkippedSession } from "../generated/events";

/** An event as the broadcaster sends it. Inside one connection `seq` only rises. */
export type Received<T extends EventType = EventType> = Extract<Event, { type: T }>;

/** What a connection carries: events, and what the broadcaster says of the connection between them. */
export type Message = HelloSession | ReadySession | SkippedSession | EvictedSession | Event;

/** A frame holds one message, or with `batch=1` an array of them. Throws on anything else. */
export function decode(frame: string): Message[] {
  const value: unknown = JSON.parse(frame);
  const messages = Array.isArray(value) ? value : [value];
  for (const message of messages) {
    if (typeof message?.type !== "string") throw new Error("a message without a type");
  }
  return messages;
}
