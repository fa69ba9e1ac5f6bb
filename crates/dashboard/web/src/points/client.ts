import { signal } from "@preact/signals";
import type { Camera } from "./camera";
import type { Point } from "./columns";
import type { Counts, Picked } from "./plot";
import type { Answer, Order } from "./protocol";

export type Loading = { received: number; total: number | null } | { failed: string } | null;

/** The page's end of the point worker. Its canvas outlives the component that shows it: a canvas is handed to a worker once. */
export class PointClient {
  readonly canvas = document.createElement("canvas");
  readonly counts = signal<Counts | null>(null);
  readonly picked = signal<Picked | null>(null);
  readonly loading = signal<Loading>(null);
  readonly rows = signal<{ from: number; rows: Point[] }>({ from: 0, rows: [] });
  /** The last frame: how long it took, and how many points it showed. */
  readonly drawn = signal({ ms: 0, points: 0 });
  readonly #worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name: "points" });

  /** Room for this many single points. */
  constructor(capacity: number) {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#hear(data);
    this.#worker.onerror = ({ message }) => {
      this.loading.value = { failed: `the renderer stopped (${message})` };
    };
    const canvas = this.canvas.transferControlToOffscreen();
    this.#worker.postMessage({ do: "canvas", canvas, capacity } satisfies Order, [canvas]);
  }

  send(order: Exclude<Order, { do: "canvas" }>): void {
    if (order.do === "load" && order.url !== null) this.loading.value = { received: 0, total: null };
    this.#worker.postMessage(order);
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
      case "counts":
        this.loading.value = null;
        this.counts.value = answer.counts;
        break;
      case "picked":
        this.picked.value = answer.picked;
        break;
      case "rows":
        this.rows.value = answer;
        break;
      case "drawn":
        this.drawn.value = answer;
        // For whoever measures: the shell shows no frame times.
        this.canvas.dispatchEvent(new CustomEvent("drawn", { detail: answer }));
        break;
    }
  }
}
