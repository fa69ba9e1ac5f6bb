import { backoff } from "../link/backoff";
import { project, projection } from "./camera";
import { fitting, learned, unknown } from "./pace";
import { Plot } from "./plot";
import type { Answer, Command, Labels } from "./protocol";

/** The picture rests when nothing has moved for this long. Then it is drawn whole, and smooth. */
const REST_MS = 140;

/** Draws points into a canvas of the page, off its thread. */
export function servePoints(scope: DedicatedWorkerGlobalScope): void {
  let drawing: Drawing | undefined;
  scope.onmessage = ({ data: command }: MessageEvent<Command>) => {
    if (command.do === "canvas") drawing = new Drawing(scope, command.canvas, command.capacity);
    else drawing?.take(command);
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
  #cost = unknown;
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

  take(command: Exclude<Command, { do: "canvas" }>): void {
    const plot = this.#plot;
    switch (command.do) {
      case "size":
        this.#canvas.width = command.width;
        this.#canvas.height = command.height;
        this.#ratio = command.ratio;
        plot.resize(command.width, command.height, command.ratio);
        break;
      case "load":
        void this.#load(command.url);
        return;
      case "place": {
        const seq = this.#selected === null ? null : plot.seqOf(this.#selected);
        plot.place(command.packed, command.seqs);
        // A ring moves its points on: the selected one is where its event is now, and gone with it.
        if (seq !== null) this.#select(plot.idOf(seq));
        this.#say({ is: "counts", counts: plot.counts() });
        break;
      }
      case "look":
        plot.colour(command.colouring, command.only, command.look);
        this.#labels = command.labels;
        break;
      case "camera":
        plot.aim(command.camera);
        this.#move();
        return;
      case "pick":
        this.#catchUp();
        this.#select(plot.pick(command.x, command.y, command.reach)?.id ?? null);
        break;
      case "step":
        this.#catchUp();
        this.#select(plot.step(this.#selected, command.dx, command.dy)?.id ?? null);
        break;
      case "release":
        this.#select(null);
        break;
      case "rows":
        this.#say({ is: "rows", from: command.from, rows: plot.rows(command.from, command.to) });
        return;
    }
    this.#ask();
  }

  /** Shows a snapshot, or none. What fails is tried again for as long as nothing else is asked for. */
  async #load(url: string | null): Promise<void> {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const packed = url === null ? new ArrayBuffer(0) : await this.#fetch(url, signal);
        if (!signal.aborted) this.#show(packed);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#say({ is: "failed", why: error instanceof Error ? error.message : String(error) });
        await new Promise((resolve) => setTimeout(resolve, backoff(failures, Math.random())));
      }
    }
  }

  #show(packed: ArrayBuffer): void {
    this.#plot.load(packed);
    this.#select(null);
    this.#cost = unknown;
    this.#say({ is: "loaded" });
    this.#say({ is: "counts", counts: this.#plot.counts() });
    this.#ask();
  }

  async #fetch(url: string, signal: AbortSignal): Promise<ArrayBuffer> {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let received = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      received += value.length;
      this.#say({ is: "loading", received });
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
      this.#plot.aim(this.#plot.camera);
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

  /** What is pointed at is looked up in the picture, so the picture must show what there is now. */
  #catchUp(): void {
    if (this.#asked) this.#draw();
  }

  #draw(): void {
    const { width, height } = this.#canvas;
    if (this.#ratio === 0) return;
    const start = performance.now();
    const { points } = this.#plot;
    const share = this.#moving ? fitting(points, this.#cost) : 1;
    const pixels = this.#plot.render(share, !this.#moving);
    if (this.#image.data.buffer !== pixels.buffer) {
      this.#image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    }
    this.#context.putImageData(this.#image, 0, 0);
    this.#write();
    const ms = performance.now() - start;
    const { drew } = this.#plot;
    // At rest four times the pixels are drawn, which says nothing of a frame that moves.
    if (this.#moving) this.#cost = learned(this.#cost, { points: drew.points, pointMs: drew.ms, ms });
    this.#say({ is: "drawn", ms, points: Math.round(points * share) });
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
