import { signal } from "@preact/signals";
import type { Camera } from "./camera";
import type { Point } from "./columns";
import type { Counts } from "./counts";
import type { Picked } from "./plot";
import type { Answer, Command } from "./protocol";

/** A snapshot under way: its bytes so far, or why it did not arrive. */
export type Loading = { received: number } | { failed: string } | null;

/** The page's end of the point worker. Its canvas outlives the component that shows it: a canvas is handed to a worker once. */
export class PointClient {
  readonly canvas = document.createElement("canvas");
  readonly counts = signal<Counts | null>(null);
  readonly picked = signal<Picked | null>(null);
  readonly loading = signal<Loading>(null);
  readonly rows = signal<{ from: number; rows: Point[] }>({ from: 0, rows: [] });
  readonly #worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name: "points" });

  /** Room for this many single points. */
  constructor(capacity: number) {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#hear(data);
    this.#worker.onerror = ({ message }) => {
      this.loading.value = { failed: `the renderer stopped (${message})` };
    };
    const canvas = this.canvas.transferControlToOffscreen();
    this.#worker.postMessage({ do: "canvas", canvas, capacity } satisfies Command, [canvas]);
  }

  send(command: Exclude<Command, { do: "canvas" }>): void {
    if (command.do === "load" && command.url !== null) this.loading.value = { received: 0 };
    this.#worker.postMessage(command);
  }

  aim(camera: Camera): void {
    this.send({ do: "camera", camera });
  }

  #hear(answer: Answer): void {
    switch (answer.is) {
      case "loading":
        this.loading.value = answer;
        break;
      case "failed":
        this.loading.value = { failed: answer.why };
        break;
      case "loaded":
        this.loading.value = null;
        break;
      case "counts":
        this.counts.value = answer.counts;
        break;
      case "picked":
        this.picked.value = answer.picked;
        break;
      case "rows":
        this.rows.value = answer;
        break;
      case "drawn":
        // For whoever measures: the shell shows no frame times.
        this.canvas.dispatchEvent(new CustomEvent("drawn", { detail: answer }));
        break;
    }
  }
}
