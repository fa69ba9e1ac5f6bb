import { decode, type Message } from "../wire/message";
import { backoff } from "./backoff";
import { type Status, type Transport, unconnected } from "./status";

/** A connection that is being opened or open. After `close` it says nothing more. */
export interface Connection {
  close(): void;
}

export interface Listener {
  frame(text: string): void;
  closed(): void;
}

/** Everything outside: clock, chance and network. */
export interface World {
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
  connect(transport: Transport, query: string, listener: Listener): Connection;
  /** Asks the broadcaster where it is. Rejects when it can't be reached. */
  probe(): Promise<Place>;
}

/** Where a broadcaster is; it tells nobody who may not look. */
export type Place = { epoch: string; seq: number } | { epoch?: undefined };

/** Hears how the link stands, with what arrived if anything did, and how many characters that had. */
export type Audience = (status: Status, messages: Message[], size: number) => void;

/** A connection says hello in this time, or a proxy holds it back. On the way to the state there is twice as long after every failure: what is one message there may be large, and the way slow. */
const PATIENCE = 8_000;
/** The broadcaster's pings are invisible to a page, so a connection that is silent for this long is asked after. */
const SILENCE = 45_000;
/** From so many failures in a row on, it may be the transport that fails and not the broadcaster. */
const STUBBORNNESS = 3;
/** So often patience doubles. */
const DOUBLINGS = 4;

/**
 * One connection to the broadcaster that never gives up. It resumes from its cursor, waits longer and longer between attempts,
 * changes from WebSockets to server-sent events where something on the way stops only the one (proxies), and notices a connection that
 * died without a word by comparing cursors.
 */
export class Link {
  readonly #world: World;
  readonly #audience: Audience;
  #status = unconnected;
  #epoch: string | undefined;
  #seq = 0;
  /** Whether everything up to the cursor has arrived: not on the way from `hello`, or `skipped`, to `ready`. */
  #whole = true;
  /** Events up to here were lost in a crash of the broadcaster when what is on the way began to arrive. */
  #lostTo = 0;
  #connection: Connection | undefined;
  #failures = 0;
  #cancel: () => void = () => {};
  #probing = false;

  constructor(world: World, audience: Audience) {
    this.#world = world;
    this.#audience = audience;
  }

  start(): void {
    this.#connect();
  }

  /** The machine woke up, the network came back, or someone looks: whatever is waited for is done now. */
  wake(): void {
    if (this.#connection === undefined) this.#connect();
    else if (this.#status.phase === "live") void this.#ask();
  }

  #connect(): void {
    this.#cancel();
    const query = new URLSearchParams({ batch: "1" });
    if (this.#epoch !== undefined) query.set("since", `${this.#epoch}:${this.#seq}${this.#whole ? "" : `~${this.#lostTo}`}`);
    let connection: Connection | undefined;
    // A connection that was given up may still have something to say: it is not listened to.
    const current = () => this.#connection === connection;
    connection = this.#connection = this.#world.connect(this.#status.transport, query.toString(), {
      frame: (text) => current() && this.#frame(text),
      closed: () => current() && this.#lost(),
    });
    this.#say({ retry: null });
    this.#cancel = this.#world.after(PATIENCE, () => this.#lost());
  }

  #frame(text: string): void {
    let batch: Message[];
    try {
      batch = decode(text);
    } catch {
      // What is cut or garbled on the way is sent again from the cursor.
      this.#lost();
      return;
    }
    let phase = this.#status.phase;
    for (const message of batch) {
      if (message.type === "hello") {
        phase = "catching-up";
        if (!message.resumed) this.#restart();
        this.#epoch = message.epoch;
        this.#lostTo = message.lost_to ?? 0;
      } else if (message.type === "skipped") {
        phase = "catching-up";
        if (message.reset) this.#restart();
      } else {
        if (message.type === "ready") {
          phase = "live";
          this.#failures = 0;
        }
        this.#seq = message.seq;
        this.#whole = phase === "live";
      }
    }
    this.#say({ phase, heard: this.#world.now(), barred: false }, batch, text.length);
    this.#watch();
  }

  #restart(): void {
    this.#seq = 0;
    this.#whole = true;
  }

  #watch(): void {
    this.#cancel();
    const patience = PATIENCE * 2 ** Math.min(this.#failures, DOUBLINGS);
    const [wait, then] = this.#status.phase === "live" ? [SILENCE, () => void this.#ask()] : [patience, () => this.#lost()];
    this.#cancel = this.#world.after(wait, then);
  }

  /** Silence is fine when nothing happened. */
  async #ask(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const asked = this.#connection;
    const there = await this.#where();
    this.#probing = false;
    if (this.#connection !== asked) return;
    if (there === undefined) {
      this.#lost();
    } else if (there.epoch === undefined) {
      // Who may not look any more, as the token was changed since, is not cut: nobody can say that the connection is dead, nor that it lives.
      this.#watch();
    } else if (there.epoch === this.#epoch && there.seq <= this.#seq) {
      this.#say({ heard: this.#world.now() });
      this.#watch();
    } else {
      // It may be on its way. Only if it does not come is the connection dead.
      const { heard } = this.#status;
      this.#cancel();
      this.#cancel = this.#world.after(1_000, () => (this.#status.heard === heard ? this.#lost() : this.#watch()));
    }
  }

  #lost(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#failures += 1;
    const { now, random } = this.#world;
    const wait = backoff(this.#failures, random());
    const { phase } = this.#status;
    this.#say({ phase: phase === "connecting" ? phase : "reconnecting", retry: now() + wait });
    this.#cancel();
    this.#cancel = this.#world.after(wait, () => this.#connect());
    if (this.#failures >= STUBBORNNESS) void this.#reconsider();
  }

  /** The next attempt goes by the other transport if the broadcaster answers: while it is away, no transport reaches it. */
  async #reconsider(): Promise<void> {
    const failures = this.#failures;
    const there = await this.#where();
    if (this.#connection !== undefined || this.#failures !== failures) return;
    if (there?.epoch === undefined) this.#say({ barred: there !== undefined });
    else this.#say({ barred: false, transport: other(this.#status.transport) });
  }

  #where(): Promise<Place | undefined> {
    return this.#world.probe().catch(() => undefined);
  }

  #say(change: Partial<Status>, messages: Message[] = [], size = 0): void {
    this.#status = { ...this.#status, ...change };
    this.#audience(this.#status, messages, size);
  }
}

const other = (transport: Transport): Transport => (transport === "websocket" ? "sse" : "websocket");
