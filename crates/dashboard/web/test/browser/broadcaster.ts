import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const binary = process.env["BROADCASTER"] ?? fileURLToPath(new URL("../../../../../target/debug/broadcaster", import.meta.url));

/** The real broadcaster, on a port of its own, with its state in memory. */
export class Broadcaster {
  url = "";
  readonly #flags: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  static async start(...flags: string[]): Promise<Broadcaster> {
    const made = new Broadcaster(flags);
    await made.start("127.0.0.1:0");
    return made;
  }

  async start(listen: string): Promise<void> {
    const child = spawn(binary, ["serve", "--listen", listen, "--no-state", ...this.#flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.url = await new Promise<string>((resolve, reject) => {
      let said = "";
      const hear = (chunk: Buffer) => {
        said += chunk.toString();
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (address) resolve(address[0]);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the broadcaster exited with ${code}: ${said}`)));
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }

  /** The same address, a new life: nothing is remembered. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start(this.url.replace("http://", ""));
  }

  async publish(body: string | Uint8Array, contentType = "application/json"): Promise<void> {
    const response = await fetch(`${this.url}/publish`, {
      method: "POST",
      headers: { "Content-Type": contentType },
      body: body as BodyInit,
    });
    if (!response.ok) throw new Error(`publish: ${response.status} ${await response.text()}`);
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json() as Promise<T>;
  }
}
