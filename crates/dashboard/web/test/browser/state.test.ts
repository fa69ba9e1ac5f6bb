import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fold } from "../../src/state/fold";
import { everything, nothing, type State } from "../../src/state/state";
import { decode } from "../../src/wire/message";
import { Broadcaster } from "./broadcaster";

let broadcaster: Broadcaster;

beforeAll(async () => {
  broadcaster = await Broadcaster.start();
});
afterAll(() => broadcaster.stop());

/** A page without a browser: joins with its cursor, folds until `ready`, leaves. */
async function join(state: State): Promise<State> {
  const since = state.epoch === "" ? "" : `?since=${state.epoch}:${state.seq}`;
  const leave = new AbortController();
  const response = await fetch(`${broadcaster.url}/events${since}`, { signal: leave.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the stream ended before ready");
    text += value;
    const messages = [...text.matchAll(/^data: (.*)\n\n/gm)].flatMap(([, data]) => decode(data ?? ""));
    if (messages.some((message) => message.type === "ready")) {
      leave.abort();
      return fold(state, messages);
    }
  }
}

/** The same JSON for the same value: members in order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  );
}

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const phase = fc.constantFrom("clean", "armed", "infecting", "infected_running", "dormant");
const at = fc.constant("2026-01-01T12:00:00Z");
const id = (prefix: string, n: number) => fc.nat(n).map((i) => `${prefix}-${i}`);
const event = fc.oneof(
  fc.record({ type: fc.constant("model_metric"), model: id("m", 5), accuracy: unit }),
  fc.record({ type: fc.constant("model_perf"), model: id("m", 5), accuracy: unit, latency_us: fc.integer({ min: 1, max: 9_999 }) }),
  fc.record({ type: fc.constant("embedding"), x: unit, y: unit, z: unit, phase, predicted: phase, cluster: fc.nat(7) }),
  fc.record({ type: fc.constant("live_detection"), host_id: id("h", 400), predicted: phase, confidence: unit, model: id("m", 2), at }),
  fc.record({ type: fc.constant("prediction"), episode_id: id("e", 30), window_idx: fc.nat(40), model: id("m", 2), predicted: phase }),
  fc.record({ type: fc.constant("phase"), host_id: id("h", 9), phase, at }),
  fc.record({
    type: fc.constant("episode"),
    episode_id: id("e", 9_999),
    host_id: id("h", 6),
    sha256: fc.constant("ab"),
    size_bytes: fc.nat(10_000),
    received_at: at,
    offset: fc.nat(10_000),
  }),
  fc.record({
    type: fc.constant("alert"),
    host: id("h", 6),
    symptom: fc.constant("s"),
    detail: fc.constant("d"),
    suggested_fix: fc.constant("f"),
    detected_at: at,
    dedup_key: id("k", 300),
  }),
  fc.record({
    type: fc.constant("snapshot"),
    total_episodes: fc.nat(99),
    total_alerts: fc.nat(9),
    total_bytes: fc.nat(9_999),
    host_counts: fc.constant({ "h-1": 3 }),
    recent_episodes: fc.constant([]),
    index_offset: fc.nat(10_000),
  }),
  fc.record({ type: fc.constant("loss"), iteration: fc.nat(99), loss: unit, batch_size: fc.constant(32) }),
);

test("a page that comes back and a page that just opened hold what the broadcaster says it keeps", async () => {
  let page = nothing;
  const batches = fc.sample(fc.array(event, { minLength: 1, maxLength: 400, size: "max" }), { numRuns: 60, seed: 7 });
  for (const batch of batches) {
    await broadcaster.publish(JSON.stringify(batch));
    if (batch.length % 3 === 0) await broadcaster.publish(JSON.stringify(batch));
    page = await join(page);
  }
  const kept = await broadcaster.get<{ epoch: string; seq: number; events: unknown[] }>("/state");
  const cold = await join(nothing);
  for (const state of [page, cold]) {
    expect([state.epoch, state.seq]).toEqual([kept.epoch, kept.seq]);
    expect(canonical(everything(state))).toEqual(canonical(kept.events));
  }
  expect(JSON.stringify(canonical(everything(page)))).toBe(JSON.stringify(canonical(kept.events)));
});
