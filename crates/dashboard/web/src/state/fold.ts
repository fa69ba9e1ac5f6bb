import { type EvictedSession, type Retention, retention } from "../generated/events";
import type { Message, Received } from "../wire/message";
import { Series } from "./series";
import type { Kept, State } from "./state";

/** How many episodes a snapshot names. */
const RECENT_EPISODES = 200;

/** A type that this page does not know is declared in the broadcaster's configuration: its newest event stands for it. */
const newest: Retention = { group: [], item: [], perGroup: 1, groups: 1, total: 1 };

/**
 * The state after these messages. Pure: what is untouched is shared with the state before, so a change can be told by identity.
 *
 * Retention is the broadcaster's, from the generated table. In a group, an event replaces the one in its place and becomes the
 * newest; over `perGroup` the oldest goes; of a series is kept what is drawn of all its points. When a whole group goes, or a type is emptied by another, an
 * `evicted` message names it.
 * Costs a copy of each touched group a call, so hand over as many messages at once as there are.
 */
export function fold(state: State, messages: readonly Message[]): State {
  const next = new Next(state);
  for (const message of messages) next.apply(message);
  return next.state();
}

type Group = Map<string, Received>;

/** The state being made: groups are copied when they are first touched. */
class Next {
  #epoch: string;
  #seq: number;
  #complete: boolean;
  #kept: Map<string, Kept>;
  readonly #copies = new Map<string, Map<string, Group>>();

  constructor(from: State) {
    this.#epoch = from.epoch;
    this.#seq = from.seq;
    this.#complete = from.complete;
    this.#kept = new Map(from.kept);
  }

  state(): State {
    return { epoch: this.#epoch, seq: this.#seq, complete: this.#complete, kept: this.#kept };
  }

  apply(message: Message): void {
    switch (message.type) {
      case "hello":
        if (!message.resumed) this.#drop(message.epoch);
        return;
      case "ready":
        this.#seq = message.seq;
        this.#complete = true;
        return;
      case "skipped":
        if (message.reset) this.#drop(this.#epoch);
        return;
      case "evicted":
        this.#seq = message.seq;
        this.#evict(message);
        return;
      case "episode":
        this.#seq = message.seq;
        this.#count(message);
        return;
      default:
        this.#seq = message.seq;
        this.#keep(message);
    }
  }

  #drop(epoch: string): void {
    this.#epoch = epoch;
    this.#seq = 0;
    this.#complete = false;
    this.#kept = new Map();
    this.#copies.clear();
  }

  #keep(event: Received): void {
    const { group, item, perGroup } = retention[event.type] ?? newest;
    const events = this.#group(event.type, key(event, group));
    if (item === "series") {
      const before = events.get("[]") as Series | undefined;
      events.set("[]", Series.after(before, event as Received<"metric_points">, perGroup) as Received);
      return;
    }
    const place = item === "each" ? String(event.seq) : key(event, item);
    events.delete(place);
    events.set(place, event);
    for (const oldest of events.keys()) {
      if (events.size <= perGroup) break;
      events.delete(oldest);
    }
  }

  #evict({ of, group }: EvictedSession): void {
    const name = JSON.stringify(group);
    const groups = this.#kept.get(of);
    // Of a type with groups, none names all.
    const all = group.length === 0;
    if (!all && !groups?.has(name)) return;
    if (!all && groups !== undefined && groups.size > 1) {
      this.#groups(of).delete(name);
    } else {
      this.#kept.delete(of);
      this.#copies.delete(of);
    }
  }

  /** Folds an episode into the snapshot, unless the snapshot says that it has read past its line. */
  #count({ seq, episode_id, host_id, sha256, size_bytes, received_at, offset }: Received<"episode">): void {
    const before = this.#kept.get("snapshot")?.get("[]")?.get("[]") as Received<"snapshot"> | undefined;
    if (offset != null && before?.index_offset != null && offset < before.index_offset) return;
    const hosts = before?.host_counts ?? {};
    const hostCount = Object.hasOwn(hosts, host_id) ? (hosts[host_id] ?? 0) : 0;
    const recent = { episode_id, host_id, sha256, size_bytes, received_at };
    this.#keep({
      seq,
      type: "snapshot",
      total_alerts: before?.total_alerts ?? 0,
      total_episodes: (before?.total_episodes ?? 0) + 1,
      total_bytes: (before?.total_bytes ?? 0) + size_bytes,
      host_counts: { ...hosts, [host_id]: hostCount + 1 },
      recent_episodes: [recent, ...(before?.recent_episodes ?? [])].slice(0, RECENT_EPISODES),
      // Its line is longer than a byte: the next one begins after this.
      ...(offset != null ? { index_offset: offset + 1 } : before?.index_offset == null ? {} : { index_offset: before.index_offset }),
    });
  }

  #groups(type: string): Map<string, Group> {
    let groups = this.#copies.get(type);
    if (groups === undefined) {
      // Only the outer map is copied here: its groups are those of the state before until #group copies one.
      groups = new Map(this.#kept.get(type) as Map<string, Group> | undefined);
      this.#copies.set(type, groups);
      this.#kept.set(type, groups);
    }
    return groups;
  }

  readonly #own = new WeakSet<Group>();

  #group(type: string, name: string): Group {
    const groups = this.#groups(type);
    let group = groups.get(name);
    if (group === undefined || !this.#own.has(group)) {
      group = new Map(group);
      this.#own.add(group);
      groups.set(name, group);
    }
    return group;
  }
}

/** The values of these fields, in a form that no other values have. */
function key(event: Received, fields: readonly string[]): string {
  return JSON.stringify(fields.map((field) => (event as unknown as Record<string, unknown>)[field]));
}
