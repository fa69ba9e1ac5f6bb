import type { EventType } from "../generated/events";
import type { Received } from "../wire/message";
import { Series } from "./series";

/** What is kept of one type: groups, and in a group its events by place, oldest `seq` first. */
export type Kept = ReadonlyMap<string, ReadonlyMap<string, Received>>;

/** The sticky state at one cursor. Never changed in place: a fold makes the next one. */
export interface State {
  readonly epoch: string;
  /** The newest event that is folded in. */
  readonly seq: number;
  /** Whether a join has been seen to its end, so that what is missing is truly not there. */
  readonly complete: boolean;
  readonly kept: ReadonlyMap<string, Kept>;
}

export const nothing: State = { epoch: "", seq: 0, complete: false, kept: new Map() };

/** The events kept of one type, oldest first. */
export function entries<T extends EventType>(kept: Kept | undefined): Received<T>[] {
  if (kept === undefined) return [];
  const all: Received[] = [];
  for (const group of kept.values()) all.push(...group.values());
  if (kept.size > 1) all.sort((a, b) => a.seq - b.seq);
  return all as Received<T>[];
}

/** Every sticky event in `seq` order, as a broadcaster would send it to a new page. */
export function everything(state: State): Received[] {
  const events = [...state.kept.values()].flatMap((kept) => entries(kept));
  return events.map((event) => (event instanceof Series ? event.event() : event)).sort((a, b) => a.seq - b.seq);
}
