import { effect } from "@preact/signals";
import { beforeEach, expect, test, vi } from "vitest";
import { type Status, unconnected } from "../src/link/status";
import { Store } from "../src/state/store";
import type { Message } from "../src/wire/message";

const live: Status = { ...unconnected, phase: "live" };
const hello = (epoch: string, seq: number): Message => ({ type: "hello", epoch, seq, resumed: false, protocol: 1 });
const ready = (seq: number): Message => ({ type: "ready", seq });
const loss = (seq: number): Message => ({ seq, type: "loss", iteration: seq, loss: 1, batch_size: 1 });
const metric = (seq: number, model: string): Message => ({ seq, type: "model_metric", model, accuracy: 0.5 });

let frames: (() => void)[];
let store: Store;
const frame = () => {
  for (const draw of frames.splice(0)) draw();
};
const models = () => store.kept("model_metric").value.map((event) => event.model);

beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
  store = new Store();
});

test("messages wait for one frame, whatever their number", () => {
  store.hear({ status: live, messages: [hello("e", 2), metric(1, "a")], size: 0 });
  store.hear({ status: live, messages: [metric(2, "b"), ready(2)], size: 0 });
  expect(frames).toHaveLength(1);
  expect(models()).toEqual([]);
  frame();
  expect(models()).toEqual(["a", "b"]);
});

test("what was known stays on show until a new join is complete, then gives way to it", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)], size: 0 });
  frame();
  store.hear({ status: live, messages: [hello("other", 2), metric(1, "x")], size: 0 });
  frame();
  expect(models()).toEqual(["a"]);
  store.hear({ status: live, messages: [metric(2, "y"), ready(2)], size: 0 });
  frame();
  expect(models()).toEqual(["x", "y"]);
});

test("a tab that draws no frames still folds, so that what waits stays bounded", () => {
  const many = Array.from({ length: 5_000 }, (_, i) => metric(i + 1, `m${i % 10}`));
  store.hear({ status: live, messages: [hello("e", 5_000), ...many, ready(5_000)], size: 0 });
  for (let i = 0; i < 10; i++) store.hear({ status: live, messages: many, size: 0 });
  expect(frames).toHaveLength(1);
  frame();
  expect(models()).toHaveLength(10);
});

test("a scene whose events did not change is not told", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)], size: 0 });
  frame();
  const before = store.kept("model_metric").value;
  store.hear({ status: live, messages: [loss(2)], size: 0 });
  frame();
  expect(store.kept("model_metric").value).toBe(before);
  expect(store.kept("loss").value).toHaveLength(1);
});

test("what a join or a skip brings is not an arrival, what comes after it is", () => {
  const arrived = (...messages: Message[]) => {
    store.hear({ status: live, messages, size: 0 });
    frame();
    return [...store.arrivals.value];
  };
  vi.useFakeTimers({ now: 1_000, toFake: ["Date"] });
  expect(arrived(hello("e", 1), metric(1, "a"), ready(1))).toEqual([]);
  expect(arrived(metric(2, "a"), { type: "evicted", seq: 3, of: "loss", group: [] })).toEqual([["model_metric", 1_000]]);
  vi.setSystemTime(2_000);
  expect(arrived({ ...hello("e", 4), resumed: true } as Message, metric(4, "b"))).toEqual([["model_metric", 1_000]]);
  expect(arrived(loss(5), ready(5))).toEqual([["model_metric", 1_000]]);
  expect(arrived({ type: "skipped", from: 5, to: 7 }, metric(6, "c"), loss(7), ready(7))).toEqual([["model_metric", 1_000]]);
  expect(arrived(loss(8))).toEqual([["model_metric", 1_000], ["loss", 2_000]]);
  vi.useRealTimers();
});

test("an event arrived when it was heard, not when a tab that was hidden shows it", () => {
  vi.useFakeTimers({ now: 1_000, toFake: ["Date"] });
  store.hear({ status: live, messages: [hello("e", 1), ready(1), metric(2, "a")], size: 0 });
  vi.setSystemTime(60_000);
  frame();
  expect(store.arrivals.value.get("model_metric")).toBe(1_000);
  vi.useRealTimers();
});

test("a tab that draws no frames is told nothing, and everything at its next frame", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)], size: 0 });
  frame();
  let told = 0;
  const stop = effect(() => {
    void [store.status.value, store.old.value, store.shown.value, store.arrivals.value, store.kept("model_metric").value];
    told += 1;
  });
  for (let seq = 2; seq < 10_000; seq++) store.hear({ status: { ...live, heard: seq }, messages: [metric(seq, "a"), loss(seq)], size: 0 });
  store.hear({ status: { ...live, phase: "reconnecting", heard: 9_999 }, messages: [], size: 0 });
  expect(told).toBe(1);
  expect(frames).toHaveLength(1);
  frame();
  expect(store.old.value).toBe(9_999);
  expect(store.shown.value.seq).toBe(9_999);
  stop();
});

test("how old what is shown is changes only when the connection goes or comes", () => {
  const ages: (number | null)[] = [];
  const stop = effect(() => void ages.push(store.old.value));
  for (const heard of [1, 2, 3]) {
    store.hear({ status: { ...live, heard }, messages: [], size: 0 });
    frame();
  }
  for (const retry of [1, 2]) {
    store.hear({ status: { ...live, phase: "reconnecting", heard: 3, retry }, messages: [], size: 0 });
    frame();
  }
  store.hear({ status: { ...live, heard: 4 }, messages: [], size: 0 });
  frame();
  expect(ages).toEqual([null, 3, null]);
  stop();
});
