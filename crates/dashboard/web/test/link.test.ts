import { beforeEach, describe, expect, test } from "vitest";
import { Link, type Listener, type Place, type World } from "../src/link/link";
import type { Status, Transport } from "../src/link/status";

/** A world where time passes when it is told to. */
class Still implements World {
  clock = 0;
  chance = 0.999999;
  readonly attempts: { transport: Transport; query: string; listener: Listener; at: number; closed: boolean }[] = [];
  there: Place | undefined;
  probes = 0;
  #timers: { at: number; run: () => void }[] = [];

  now = () => this.clock;
  random = () => this.chance;

  after(ms: number, run: () => void) {
    const timer = { at: this.clock + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  connect(transport: Transport, query: string, listener: Listener) {
    const attempt = { transport, query, listener, at: this.clock, closed: false };
    this.attempts.push(attempt);
    return {
      close: () => {
        attempt.closed = true;
      },
    };
  }

  probe() {
    this.probes += 1;
    return this.there ? Promise.resolve(this.there) : Promise.reject(new Error("unreachable"));
  }

  async pass(ms: number) {
    const end = this.clock + ms;
    for (;;) {
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.clock = due.at;
      due.run();
    }
    this.clock = end;
  }

  get last() {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error("no attempt yet");
    return attempt;
  }

  send(...messages: object[]) {
    this.last.listener.frame(JSON.stringify(messages));
  }
}

const hello = (seq: number, resumed: boolean, epoch = "k3v9") => ({ type: "hello", epoch, seq, resumed, protocol: 1 });
const ready = (seq: number) => ({ type: "ready", seq });
const loss = (seq: number) => ({ seq, type: "loss", iteration: seq, loss: 1, batch_size: 1 });

describe("the link", () => {
  let world: Still;
  let link: Link;
  let status: Status;
  let heard: string[];

  const fail = async () => {
    world.last.listener.closed();
    await world.pass((status.retry ?? 0) - world.clock);
  };

  beforeEach(() => {
    world = new Still();
    heard = [];
    link = new Link(world, (now, messages) => {
      status = now;
      heard.push(...messages.map((message) => message.type));
    });
    link.start();
  });

  test("asks for everything first, catches up and is live", () => {
    expect(world.last).toMatchObject({ transport: "websocket", query: "batch=1" });
    expect(status.phase).toBe("connecting");
    world.send(hello(2, false), loss(1), loss(2));
    expect(status.phase).toBe("catching-up");
    world.send(ready(2));
    expect(status).toMatchObject({ phase: "live", heard: 0, retry: null });
    expect(heard).toEqual(["hello", "loss", "loss", "ready"]);
  });

  test("comes back with its cursor", async () => {
    world.send(hello(1, false), ready(1), loss(2), loss(3));
    world.last.listener.closed();
    expect(status).toMatchObject({ phase: "reconnecting", heard: 0 });
    await world.pass(300);
    expect(world.last.query).toBe("batch=1&since=k3v9%3A3");
  });

  test("cut off in the middle of a join, it resumes from what has arrived, in the new epoch", async () => {
    world.send(hello(9, false), ready(9));
    world.last.listener.closed();
    await world.pass(300);
    world.send(hello(7, false, "new"), loss(2), loss(4));
    world.last.listener.closed();
    await world.pass(600);
    expect(world.last.query).toBe("batch=1&since=new%3A4%7E0");
  });

  test("a skip that resets puts the cursor back to the beginning until the state has arrived", async () => {
    world.send(hello(9, false), ready(9), { type: "skipped", from: 9, to: 90, reset: true });
    world.last.listener.closed();
    await world.pass(300);
    expect(world.last.query).toBe("batch=1&since=k3v9%3A0");
  });

  test("never gives up: it waits longer and longer, with jitter, and never more than 10 s", async () => {
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      const lost = world.clock;
      world.chance = i % 2 ? 0 : 0.999999;
      await fail();
      waits.push(Math.round(world.last.at - lost));
    }
    expect(world.attempts).toHaveLength(41);
    expect(waits.slice(0, 10)).toEqual([300, 300, 1200, 1200, 4800, 4800, 10_000, 5_000, 10_000, 5_000]);
    expect(Math.max(...waits)).toBe(10_000);
  });

  test("waits for nothing when the network comes back or the machine wakes", async () => {
    for (let i = 0; i < 8; i++) await fail();
    world.last.listener.closed();
    const before = world.attempts.length;
    link.wake();
    expect(world.attempts).toHaveLength(before + 1);
    expect(world.last.at).toBe(world.clock);
    await world.pass(7_000);
    expect(world.attempts).toHaveLength(before + 1);
  });

  test("tries server-sent events where the broadcaster answers but WebSockets fail again and again, and WebSockets again after that", async () => {
    world.there = { epoch: "k3v9", seq: 0 };
    const tried: Transport[] = [];
    for (let i = 0; i < 6; i++) {
      tried.push(world.last.transport);
      await fail();
    }
    expect(tried).toEqual(["websocket", "websocket", "websocket", "sse", "websocket", "sse"]);
  });

  test("does not take an outage for a proxy: WebSocket it was, and WebSocket it is again, however long that took", async () => {
    world.send(hello(1, false), ready(1));
    for (let i = 0; i < 20; i++) {
      await fail();
      expect(world.last.transport).toBe("websocket");
    }
    world.send(hello(1, true), ready(1));
    expect(status).toMatchObject({ phase: "live", transport: "websocket" });
  });

  test("changes nothing of an attempt that is under way when the answer comes", async () => {
    for (let i = 0; i < 2; i++) await fail();
    world.there = { epoch: "k3v9", seq: 0 };
    world.last.listener.closed();
    link.wake();
    await world.pass(0);
    expect(world.last.transport).toBe("websocket");
    expect(status.transport).toBe("websocket");
  });

  test("stays with the transport that worked", async () => {
    world.there = { epoch: "k3v9", seq: 1 };
    for (let i = 0; i < 3; i++) await fail();
    world.send(hello(1, false), ready(1));
    await fail();
    expect(world.attempts).toHaveLength(5);
    expect(world.last.transport).toBe("sse");
  });

  test("gives up a connection that says no hello: a proxy holds it back", async () => {
    await world.pass(8_000);
    expect(world.attempts[0]?.closed).toBe(true);
    await world.pass(300);
    expect(world.attempts).toHaveLength(2);
  });

  test("does not listen to a connection that it gave up", async () => {
    const abandoned = world.last.listener;
    await world.pass(8_300);
    abandoned.frame(JSON.stringify(hello(1, false)));
    abandoned.closed();
    expect(heard).toEqual([]);
    expect(world.attempts).toHaveLength(2);
  });

  test("a garbled frame is fetched again from the cursor", async () => {
    world.send(hello(1, false), ready(1), loss(2));
    world.last.listener.frame('{"seq":3,"type":"lo');
    expect(world.attempts[0]?.closed).toBe(true);
    await world.pass(300);
    expect(world.last.query).toContain("3A2");
  });

  test("silence is fine while the broadcaster is where the page is", async () => {
    world.send(hello(5, false), ready(5));
    world.there = { epoch: "k3v9", seq: 5 };
    await world.pass(120_000);
    expect(world.probes).toBe(2);
    expect(world.attempts).toHaveLength(1);
    expect(status).toMatchObject({ phase: "live", heard: 90_000 });
  });

  test("silence while the broadcaster went on means a dead connection", async () => {
    world.send(hello(5, false), ready(5));
    world.there = { epoch: "k3v9", seq: 6 };
    await world.pass(46_000);
    expect(status.phase).toBe("reconnecting");
    expect(world.attempts[0]?.closed).toBe(true);
  });

  test("an event that was on its way while the broadcaster was asked keeps the connection", async () => {
    world.send(hello(5, false), ready(5));
    world.there = { epoch: "k3v9", seq: 6 };
    await world.pass(45_500);
    world.send(loss(6));
    await world.pass(1_000);
    expect(status.phase).toBe("live");
    expect(world.attempts).toHaveLength(1);
  });

  test("who may not look any more keeps the connection that there is, and is told when it is gone", async () => {
    world.send(hello(5, false), ready(5));
    // Its token was taken out: the broadcaster lives, and says no more.
    world.there = {};
    await world.pass(120_000);
    expect(status).toMatchObject({ phase: "live", heard: 0, barred: false });
    expect(world.attempts).toHaveLength(1);
    for (let i = 0; i < 5; i++) await fail();
    expect(status).toMatchObject({ phase: "reconnecting", transport: "websocket", barred: true });
    world.there = undefined;
    await fail();
    expect(status).toMatchObject({ phase: "reconnecting", barred: false });
    world.send(hello(5, true), ready(5));
    expect(status).toMatchObject({ phase: "live", barred: false });
  });

  test("a state of which one event takes longer than patience arrives in the end", async () => {
    let given = 0;
    for (; status.phase !== "live" && given < 9; given++) {
      const attempt = world.last;
      world.send(hello(5, false));
      for (let second = 0; second < 30 && !attempt.closed; second++) await world.pass(1_000);
      if (!attempt.closed) world.send(loss(5), ready(5));
      else while (world.last === attempt) await world.pass(100);
    }
    expect(given).toBe(3);
  });

  test("a broadcaster that can't be asked is gone", async () => {
    world.send(hello(5, false), ready(5));
    await world.pass(45_000);
    expect(status.phase).toBe("reconnecting");
  });

  test("waking up asks at once whether the connection still lives", async () => {
    world.send(hello(5, false), ready(5));
    world.there = { epoch: "k3v9", seq: 5 };
    link.wake();
    await world.pass(0);
    expect(world.probes).toBe(1);
    expect(status.phase).toBe("live");
  });
});
