import { project, projection } from "./camera";
import { allocate } from "./columns";
import { Plot } from "./plot";
import type { Answer, Labels, Order } from "./protocol";

/** While the picture moves, a frame may take this long; points that do not fit are left out until it rests. */
const FRAME_MS = 13;
/** It rests when nothing has moved for this long. Then it is drawn whole, and smooth. */
const REST_MS = 140;

/** Draws points into a canvas of the page, off its thread. */
export function servePoints(scope: DedicatedWorkerGlobalScope): void {
  let drawing: Drawing | undefined;
  scope.onmessage = ({ data: order }: MessageEvent<Order>) => {
    if (order.do === "canvas") drawing = new Drawing(scope, order.canvas, order.capacity);
    else drawing?.take(order);
  };
}

class Drawing {
  readonly #scope: DedicatedWorkerGlobalScope;
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #plot: Plot;
  #image = new ImageData(1, 1);
  #labels: Labels = { axes: ["x", "y", "z"], colour: "", accent: "", font: "" };
  /** Canvas pixels a CSS pixel; 0 until the page has said how large the canvas is. */
  #ratio = 0;
  #asked = false;
  #moving = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #msPerPoint = 0;
  #selected: number | null = null;
  #loading: AbortController | undefined;

  constructor(scope: DedicatedWorkerGlobalScope, canvas: OffscreenCanvas, capacity: number) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("no 2d context");
    this.#scope = scope;
    this.#canvas = canvas;
    this.#context = context;
    this.#plot = new Plot(capacity);
  }

  take(order: Exclude<Order, { do: "canvas" }>): void {
    const plot = this.#plot;
    switch (order.do) {
      case "size":
        this.#canvas.width = order.width;
        this.#canvas.height = order.height;
        this.#ratio = order.ratio;
        plot.resize(order.width, order.height, order.ratio);
        break;
      case "load":
        void this.#load(order.url);
        return;
      case "place":
        plot.place(order.packed);
        this.#selected = null;
        this.#say({ is: "counts", counts: plot.counts() });
        this.#move();
        return;
      case "look":
        plot.colour(order.colouring, order.only, order.look);
        this.#labels = order.labels;
        break;
      case "camera":
        plot.look(order.camera);
        this.#move();
        return;
      case "pick":
        this.#select(plot.pick(order.x, order.y, order.reach)?.id ?? null);
        break;
      case "step":
        this.#select(plot.step(this.#selected, order.dx, order.dy)?.id ?? null);
        break;
      case "release":
        this.#select(null);
        break;
      case "rows":
        this.#say({ is: "rows", from: order.from, rows: plot.rows(order.from, order.to) });
        return;
    }
    this.#ask();
  }

  async #load(url: string | null): Promise<void> {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    try {
      const packed = url === null ? allocate(0).x.buffer : await this.#fetch(url, signal);
      if (signal.aborted) return;
      this.#plot.load(packed as ArrayBuffer);
      this.#selected = null;
      this.#msPerPoint = 0;
      this.#say({ is: "counts", counts: this.#plot.counts() });
      this.#ask();
    } catch (error) {
      if (!signal.aborted) this.#say({ is: "failed", why: error instanceof Error ? error.message : String(error) });
    }
  }

  async #fetch(url: string, signal: AbortSignal): Promise<ArrayBuffer> {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let received = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      received += value.length;
      this.#say({ is: "loading", received, total: length === null ? null : Number(length) });
    }
    return new Blob(chunks).arrayBuffer();
  }

  #select(id: number | null): void {
    if (id === null && this.#selected === null) return;
    this.#selected = id;
    this.#say({ is: "picked", picked: id === null ? null : this.#plot.picked(id) });
  }

  #move(): void {
    this.#moving = true;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#moving = false;
      this.#plot.look(this.#plot.camera);
      // The selected point moved with the camera: say where it is now.
      if (this.#selected !== null) this.#say({ is: "picked", picked: this.#plot.picked(this.#selected) });
      this.#ask();
    }, REST_MS);
    this.#ask();
  }

  /** One frame draws all changes since the last one. */
  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#scope.requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { width, height } = this.#canvas;
    if (this.#ratio === 0) return;
    const start = performance.now();
    const { points } = this.#plot;
    const fit = this.#moving && this.#msPerPoint > 0 ? Math.min(1, FRAME_MS / (this.#msPerPoint * points)) : 1;
    const pixels = this.#plot.render(fit, !this.#moving);
    if (this.#image.data.buffer !== pixels.buffer) {
      this.#image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    }
    const drawn = performance.now() - start;
    this.#context.putImageData(this.#image, 0, 0);
    this.#write();
    // A guess from the last frames; the pixels' own share makes it careful.
    if (this.#moving && points > 0) {
      const ms = drawn / Math.max(1, points * fit);
      this.#msPerPoint = this.#msPerPoint === 0 ? ms : 0.7 * this.#msPerPoint + 0.3 * ms;
    }
    this.#say({ is: "drawn", ms: performance.now() - start, points: Math.round(points * fit) });
  }

  /** Names of the axes, and a ring around the selected point. */
  #write(): void {
    const context = this.#context;
    const view = projection(this.#plot.camera, this.#canvas.width, this.#canvas.height);
    context.font = this.#labels.font;
    context.fillStyle = this.#labels.colour;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.#labels.axes.forEach((name, axis) => {
      const along = (k: number) => (k === axis ? 1.06 : 0);
      const { x, y } = project(view, along(0), along(1), along(2));
      context.fillText(name, x, y);
    });
    const picked = this.#selected === null ? null : this.#plot.picked(this.#selected);
    if (picked === null) return;
    context.strokeStyle = this.#labels.accent;
    context.lineWidth = 2 * this.#ratio;
    context.beginPath();
    context.arc(picked.x, picked.y, 8 * this.#ratio, 0, 2 * Math.PI);
    context.stroke();
  }

  #say(answer: Answer): void {
    this.#scope.postMessage(answer);
  }
}
