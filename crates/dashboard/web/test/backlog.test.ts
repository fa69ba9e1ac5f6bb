import { expect, test } from "vitest";
import { Backlog } from "../src/state/backlog";
import type { Message } from "../src/wire/message";

const loss: Message = { seq: 1, type: "loss", iteration: 1, loss: 1, batch_size: 1 };

test("it is full of many messages, and of few that are large", () => {
  const backlog = new Backlog();
  for (let i = 0; i < 999; i++) backlog.add([loss], 80);
  expect(backlog.isFull).toBe(false);
  backlog.add([loss], 80);
  expect(backlog.isFull).toBe(true);
  expect(backlog.take()).toHaveLength(1_000);
  for (let i = 0; i < 3; i++) backlog.add([loss], 2 << 20);
  expect(backlog.isFull).toBe(false);
  backlog.add([loss], 2 << 20);
  expect(backlog.isFull).toBe(true);
  expect(backlog.take()).toHaveLength(4);
  expect([backlog.isFull, backlog.take()]).toEqual([false, []]);
});
