import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventType } from "../src/generated/events";
import { retention } from "../src/generated/events";
import { fold } from "../src/state/fold";
import { entries, everything, nothing, type State } from "../src/state/state";
import type { Message, Received } from "../src/wire/message";

const RING = retention.live_detection?.perGroup ?? 0;

const hello = (seq: number, resumed = false): Message => ({ type: "hello", epoch: "e", seq, resumed, protocol: 1 });
const metric = (seq: number, model: string, accuracy = 0.5): Message => ({ seq, type: "model_metric", model, accuracy });
const point = (seq: number): Message => ({ seq, type: "embedding", x: 0, y: 0, z: 0, phase: "clean", predicted: "clean", cluster: 0 });
const detection = (seq: number, host_id: string): Message => ({
  seq,
  type: "live_detection",
  host_id,
  predicted: "clean",
  confidence: 1,
  model: "knn",
  at: "2026-01-01T00:00:00Z",
});
const episode = (seq: number, host_id: string, offset?: number): Message => ({
  seq,
  type: "episode",
  episode_id: `e${seq}`,
  host_id,
  sha256: "s",
  size_bytes: 10,
  received_at: "2026-01-01T00:00:00Z",
  ...(offset === undefined ? {} : { offset }),
});
const snapshot = (state: State) => entries<"snapshot">(state.kept.get("snapshot"))[0];
const seqs = (state: State, type: EventType) => entries(state.kept.get(type)).map((event) => event.seq);

describe("the fold", () => {
  test("keeps the newest event of each key, in the order of their last change", () => {
    const state = fold(nothing, [metric(1, "a"), metric(2, "b"), metric(3, "a", 0.9)]);
    expect(everything(state)).toEqual([metric(2, "b"), metric(3, "a", 0.9)]);
  });

  test("leaves the state before as it was and shares what it did not touch", () => {
    const before = fold(nothing, [metric(1, "a"), detection(2, "h"), detection(3, "i")]);
    const copy = everything(before);
    const after = fold(before, [detection(4, "h"), metric(5, "a")]);
    expect(everything(before)).toEqual(copy);
    expect(after.kept.get("live_detection")?.get('["i"]')).toBe(before.kept.get("live_detection")?.get('["i"]'));
    expect(fold(before, [detection(4, "h")]).kept.get("model_metric")).toBe(before.kept.get("model_metric"));
  });

  test("keeps the newest events of a ring", () => {
    
    const state = fold(nothing, Array.from({ length: RING + 5 }, (_, i) => detection(i + 1, "h")));
    expect(seqs(state, "live_detection")).toEqual(Array.from({ length: RING }, (_, i) => i + 6));
  });

  test("an evicted group goes and the others stay", () => {
    const state = fold(nothing, [
      detection(1, "h"),
      detection(2, "i"),
      { type: "evicted", seq: 3, of: "live_detection", group: ["h"] },
    ]);
    expect(seqs(state, "live_detection")).toEqual([2]);
    expect(state.seq).toBe(3);
  });

  test("what an embedding snapshot empties is named like any group that goes", () => {
    const gone: Message = { type: "evicted", seq: 3, of: "embedding", group: [] };
    expect(seqs(fold(nothing, [point(1), point(2), gone, point(4)]), "embedding")).toEqual([4]);
  });

  test("an episode is counted into the snapshot", () => {
    const state = fold(nothing, [episode(1, "h"), episode(2, "i"), episode(3, "h")]);
    expect(snapshot(state)).toMatchObject({ seq: 3, total_episodes: 3, total_bytes: 30, host_counts: { h: 2, i: 1 } });
    expect(snapshot(state)?.recent_episodes.map((recent) => recent.episode_id)).toEqual(["e3", "e2", "e1"]);
    expect(state.kept.has("episode")).toBe(false);
  });

  test("an episode that the snapshot has read already is not counted twice", () => {
    const read: Message = {
      seq: 1,
      type: "snapshot",
      total_episodes: 7,
      total_alerts: 0,
      total_bytes: 70,
      host_counts: { h: 7 },
      recent_episodes: [],
      index_offset: 100,
    };
    const state = fold(nothing, [read, episode(2, "h", 99), episode(3, "h", 100)]);
    expect(snapshot(state)).toMatchObject({ seq: 3, total_episodes: 8, host_counts: { h: 8 } });
  });

  test("a host that is called like a member of every object is counted like any other", () => {
    const state = fold(nothing, [episode(1, "constructor"), episode(2, "__proto__"), episode(3, "__proto__")]);
    expect(Object.entries(snapshot(state)?.host_counts ?? {}).sort()).toEqual([
      ["__proto__", 2],
      ["constructor", 1],
    ]);
  });

  test("names at most 200 recent episodes", () => {
    const state = fold(nothing, Array.from({ length: 203 }, (_, i) => episode(i + 1, "h")));
    expect(snapshot(state)?.recent_episodes).toHaveLength(200);
    expect(snapshot(state)?.total_episodes).toBe(203);
  });

  test("an event of a type that the page does not know is kept until the next one", () => {
    const custom = (seq: number) => ({ seq, type: "gpu_temp", host_id: "h" }) as unknown as Message;
    expect(everything(fold(nothing, [custom(1), custom(2)]))).toEqual([custom(2)]);
  });

  test("a hello that does not resume, or a skip that resets, drops what was held", () => {
    const held = fold(nothing, [hello(1), metric(1, "a"), { type: "ready", seq: 1 }]);
    expect(held.complete).toBe(true);
    expect(everything(fold(held, [hello(1, true)]))).toHaveLength(1);
    for (const dropping of [hello(9), { type: "skipped", from: 1, to: 9, reset: true } as Message]) {
      expect(fold(held, [dropping])).toMatchObject({ seq: 0, complete: false });
      expect(everything(fold(held, [dropping]))).toEqual([]);
    }
    expect(everything(fold(held, [{ type: "skipped", from: 1, to: 9 }]))).toHaveLength(1);
  });
});

/** The dumbest hub: a list of what is kept, recomputed from all events ever accepted. */
class Hub {
  readonly log: Message[] = [];

  accept(event: Record<string, unknown>): void {
    this.#log(event);
    if (event["type"] === "embedding_snapshot" && this.kept().some((kept) => kept.type === "embedding")) {
      this.#log({ type: "evicted", of: "embedding", group: [] });
    }
    const hosts = [...new Set(this.#detections().map((kept) => kept.host_id))];
    if (hosts.length > GROUPS) {
      const quiet = hosts.toSorted((a, b) => this.#newest(a) - this.#newest(b))[0] as string;
      this.#log({ type: "evicted", of: "live_detection", group: [quiet] });
    }
  }

  #log(fields: Record<string, unknown>): void {
    this.log.push({ seq: this.log.length + 1, ...fields } as unknown as Message);
  }

  get seq(): number {
    return this.log.length;
  }

  /** The sticky events, in seq order, by looking at the whole log. */
  kept(): Received[] {
    const metrics = new Map<string, Received>();
    let placed: Received | undefined;
    let points: Received[] = [];
    for (const event of this.log) {
      if (event.type === "model_metric") metrics.set(event.model, event);
      if (event.type === "embedding_snapshot") placed = event;
      if (event.type === "evicted" && event.of === "embedding") points = [];
      if (event.type === "embedding") points.push(event);
    }
    return [...metrics.values(), ...(placed ? [placed] : []), ...points, ...this.#detections()].sort((a, b) => a.seq - b.seq);
  }

  #detections(): Received<"live_detection">[] {
    let kept: Received<"live_detection">[] = [];
    for (const event of this.log) {
      if (event.type === "live_detection") {
        const same = kept.filter((other) => other.host_id === event.host_id);
        if (same.length === RING) kept = kept.filter((other) => other !== same[0]);
        kept.push(event);
      }
      if (event.type === "evicted" && event.of === "live_detection") kept = kept.filter((other) => other.host_id !== event.group[0]);
    }
    return kept;
  }

  #newest(host: string): number {
    return Math.max(...this.#detections().flatMap((kept) => (kept.host_id === host ? [kept.seq] : [])));
  }

  /** What a reader at this cursor is sent: all of it, or what changed and what went since. */
  join(cursor: { seq: number } | undefined): Message[] {
    const since = cursor?.seq ?? 0;
    const gone = cursor ? this.log.filter((event) => event.type === "evicted" && event.seq > since) : [];
    const changed = [...this.kept().filter((event) => event.seq > since), ...(gone as (Message & { seq: number })[])];
    changed.sort((a, b) => a.seq - b.seq);
    return [hello(this.seq, cursor !== undefined), ...changed, { type: "ready", seq: this.seq }];
  }
}

const GROUPS = 3;

const event = fc.oneof(
  fc.record({ type: fc.constant("model_metric"), model: fc.constantFrom("a", "b", "c"), accuracy: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ type: fc.constant("live_detection"), host_id: fc.constantFrom("h", "i", "j", "k", "l"), predicted: fc.constant("clean") }),
  fc.record({ type: fc.constant("embedding"), x: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ type: fc.constant("embedding_snapshot"), rows: fc.nat(9) }),
);

test("a page that resumed, however often and wherever it was cut off, holds what a page that just opened holds", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ events: fc.array(event, { maxLength: 80 }), cut: fc.nat(100) }), { maxLength: 8 }), (rounds) => {
      const hub = new Hub();
      let page = fold(nothing, hub.join(undefined));
      for (const { events, cut } of rounds) {
        for (const fields of events) hub.accept(fields);
        // Cut off somewhere in the join: the cursor is the last seq that arrived.
        const join = hub.join({ seq: page.seq });
        page = fold(page, join.slice(0, cut));
      }
      page = fold(page, hub.join({ seq: page.seq }));
      const cold = hub.join(undefined).reduce((state, message) => fold(state, [message]), nothing);
      expect(everything(page)).toEqual(hub.kept());
      expect(everything(cold)).toEqual(hub.kept());
      expect(page.seq).toBe(cold.seq);
    }),
    { numRuns: 300 },
  );
});
