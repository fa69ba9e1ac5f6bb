import { between, type Camera, readCamera, turned, writeCamera } from "../../points/camera";
import type { PointClient } from "../../points/client";
import { param, setParam } from "../../view/address";

/** Degrees a second. */
const ORBIT = 9;
/** From one view to another, ms. */
const FLIGHT = 350;
/** What has not moved for so long is written down, ms. */
const REST = 400;

/** From where the points are looked at: it stands in the address, and follows it. */
export class View {
  camera: Camera;
  readonly #client: PointClient;
  /** What the address says of the camera. */
  #said: string | undefined;
  #writing: ReturnType<typeof setTimeout> | undefined;
  #flight = 0;

  constructor(client: PointClient) {
    this.#client = client;
    this.#said = param("camera");
    this.camera = readCamera(this.#said);
    client.aim(this.camera);
  }

  /** Looks from where the address says, if that is news. Reads a signal. */
  follow(): void {
    const said = param("camera");
    if (said === this.#said) return;
    this.#said = said;
    this.#stop();
    this.#look(readCamera(said));
  }

  aim(camera: Camera): void {
    this.#stop();
    this.#look(camera);
    this.#write();
  }

  fly(to: Camera): void {
    this.#stop();
    const from = this.camera;
    const start = performance.now();
    const flight = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FLIGHT;
    const step = (now: number) => {
      const t = flight === 0 ? 1 : Math.min(1, Math.max(0, now - start) / flight);
      this.#look(between(from, to, t * t * (3 - 2 * t)));
      if (t < 1) this.#flight = requestAnimationFrame(step);
      else this.#write();
    };
    this.#flight = requestAnimationFrame(step);
  }

  /** Turns until the returned function is called. */
  orbit(): () => void {
    let last = performance.now();
    const step = (now: number) => {
      this.#look(turned(this.camera, ((now - last) / 1000) * ORBIT, 0));
      last = now;
      frame = requestAnimationFrame(step);
    };
    let frame = requestAnimationFrame(step);
    return () => {
      cancelAnimationFrame(frame);
      this.#write();
    };
  }

  #look(camera: Camera): void {
    this.camera = camera;
    this.#client.aim(camera);
  }

  /** A flight and a note of where it was are overtaken by what comes next. */
  #stop(): void {
    cancelAnimationFrame(this.#flight);
    clearTimeout(this.#writing);
  }

  #write(): void {
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => {
      const view = writeCamera(this.camera);
      if (view === writeCamera(readCamera(this.#said))) return;
      this.#said = view;
      setParam("camera", view);
    }, REST);
  }
}
