import { beforeEach, expect, test, vi } from "vitest";
import { type Status, unconnected } from "../src/link/status";
import { Store } from "../src/state/store";
import type { Message } from "../src/wire/message";

const live: Status = { ...unconnected, phase: "live" };
const hello = (epoch: string, seq: number): Message => ({ type: "hello", epoch, seq, resumed: false, protocol: 1 });
const ready = (seq: number): Message => ({ type: "ready", seq });
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
  store.hear({ status: live, messages: [hello("e", 2), metric(1, "a")] });
  store.hear({ status: live, messages: [metric(2, "b"), ready(2)] });
  expect(frames).toHaveLength(1);
  expect(models()).toEqual([]);
  frame();
  expect(models()).toEqual(["a", "b"]);
});

test("what was known stays on show until a new join is complete, then gives way to it", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)] });
  frame();
  store.hear({ status: live, messages: [hello("other", 2), metric(1, "x")] });
  frame();
  expect(models()).toEqual(["a"]);
  store.hear({ status: live, messages: [metric(2, "y"), ready(2)] });
  frame();
  expect(models()).toEqual(["x", "y"]);
});

test("a tab that draws no frames still folds, so that what waits stays bounded", () => {
  const many = Array.from({ length: 5_000 }, (_, i) => metric(i + 1, `m${i % 10}`));
  store.hear({ status: live, messages: [hello("e", 5_000), ...many, ready(5_000)] });
  for (let i = 0; i < 10; i++) store.hear({ status: live, messages: many });
  expect(frames).toHaveLength(1);
  frame();
  expect(models()).toHaveLength(10);
});

test("a scene whose events did not change is not told", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)] });
  frame();
  const before = store.kept("model_metric").value;
  store.hear({ status: live, messages: [{ seq: 2, type: "loss", iteration: 1, loss: 1, batch_size: 1 }] });
  frame();
  expect(store.kept("model_metric").value).toBe(before);
  expect(store.kept("loss").value).toHaveLength(1);
});

test("what a join brings is not an arrival, what comes after it is", () => {
  store.hear({ status: live, messages: [hello("e", 1), metric(1, "a"), ready(1)] });
  frame();
  expect(store.arrivals.value.size).toBe(0);
  store.hear({ status: live, messages: [metric(2, "a")] });
  frame();
  expect([...store.arrivals.value.keys()]).toEqual(["model_metric"]);
});
