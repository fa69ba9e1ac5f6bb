import { expect, test } from "vitest";
import { type News, Relay } from "../src/link/relay";
import { type Status, unconnected } from "../src/link/status";
import { fold } from "../src/state/fold";
import { everything, nothing } from "../src/state/state";
import type { Message } from "../src/wire/message";

const live: Status = { ...unconnected, phase: "live", heard: 7 };
const hello: Message = { type: "hello", epoch: "e", seq: 2, resumed: false, protocol: 1 };
const metric = (seq: number, model: string): Message => ({ seq, type: "model_metric", model, accuracy: 0.5 });
const point = (seq: number, step: number): Message => ({ seq, type: "metric_points", run_id: "r", metric: "loss", points: [[step, 0.5, 1]] });

class Tab {
  readonly news: News[] = [];
  postMessage(news: News): void {
    this.news.push(structuredClone(news));
  }
  get messages(): Message[] {
    return this.news.flatMap((news) => news.messages);
  }
  get state() {
    return fold(nothing, this.messages);
  }
}

test("a tab that opens later holds at once what the first tab holds, then both hear the same", () => {
  const relay = new Relay();
  const first = new Tab();
  relay.join(first);
  expect(first.news).toEqual([{ status: unconnected, messages: [], size: 0 }]);
  relay.hear(live, [hello, metric(1, "a"), metric(2, "b"), { type: "ready", seq: 2 }], 0);
  relay.hear(live, [metric(3, "a"), point(4, 1), point(5, 2)], 0);

  const second = new Tab();
  relay.join(second);
  expect(second.news).toHaveLength(1);
  expect(second.news[0]?.status).toEqual(live);
  expect(everything(second.state)).toEqual(everything(first.state));
  expect(second.state).toMatchObject({ epoch: "e", seq: 5, complete: true });

  relay.hear(live, [metric(6, "c"), point(7, 3)], 0);
  expect(everything(second.state)).toEqual(everything(first.state));
  expect(everything(second.state).at(-1)).toEqual({ ...point(7, 1), points: [[1, 0.5, 1], [2, 0.5, 1], [3, 0.5, 1]] });
});

test("a tab that opens in the middle of a join becomes complete when the join does", () => {
  const relay = new Relay();
  relay.hear(live, [hello, metric(1, "a")], 0);
  const tab = new Tab();
  relay.join(tab);
  expect(tab.state.complete).toBe(false);
  relay.hear(live, [metric(2, "b"), { type: "ready", seq: 2 }], 0);
  expect(tab.state.complete).toBe(true);
  expect(everything(tab.state)).toHaveLength(2);
});

test("a tab that opens while the broadcaster is away holds what is known, and knows its age", () => {
  const relay = new Relay();
  relay.hear(live, [hello, metric(1, "a"), { type: "ready", seq: 2 }], 0);
  relay.hear({ ...live, phase: "reconnecting", retry: 99 }, [], 0);
  const tab = new Tab();
  relay.join(tab);
  expect(tab.news[0]?.status).toMatchObject({ phase: "reconnecting", heard: 7 });
  expect(tab.state.complete).toBe(true);
  expect(everything(tab.state)).toHaveLength(1);
});

test("a tab that left hears nothing more", () => {
  const relay = new Relay();
  const tab = new Tab();
  relay.join(tab);
  relay.leave(tab);
  relay.hear(live, [hello], 0);
  expect(tab.messages).toEqual([]);
});
