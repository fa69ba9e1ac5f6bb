import { type Camera, turned, zoomed } from "../../points/camera";

/** Degrees a CSS pixel of drag. */
const DRAG = 0.4;
const KEY_TURN = 6;
const KEY_ZOOM = 1.15;
/** A finger that moved no farther than this, in CSS pixels, tapped. */
const TAP = 6;

export interface Aim {
  get(): Camera;
  set(camera: Camera): void;
  /** A place was pointed at, in CSS pixels from the corner, or nothing any more. */
  point(at: { x: number; y: number } | null): void;
  /** One step from point to point. */
  step(dx: number, dy: number): void;
  /** To the point that is pointed at. */
  approach(): void;
  home(): void;
}

interface Finger {
  x: number;
  y: number;
  /** Where it came down. */
  from: { x: number; y: number };
  tapping: boolean;
}

/** A button that lies over the points is pressed itself. */
const isOfButton = ({ target }: Event) => target instanceof Element && target.closest("button") !== null;

/** Turns by drag, two fingers and keys, zooms by pinch, wheel and keys. Returns what undoes it. */
export function gestures(element: HTMLElement, aim: Aim): () => void {
  const fingers = new Map<number, Finger>();
  /** The camera when the first of them came down. */
  let before = aim.get();
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0 || isOfButton(event)) return;
    element.setPointerCapture(event.pointerId);
    if (fingers.size === 0) before = aim.get();
    const [x, y] = [event.clientX, event.clientY];
    fingers.set(event.pointerId, { x, y, from: { x, y }, tapping: true });
  };
  const move = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) {
      const { left, top } = element.getBoundingClientRect();
      aim.point({ x: event.clientX - left, y: event.clientY - top });
      return;
    }
    const wide = spread();
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    finger.x += dx;
    finger.y += dy;
    finger.tapping &&= Math.hypot(finger.x - finger.from.x, finger.y - finger.from.y) <= TAP;
    let camera = turned(aim.get(), (dx * DRAG) / fingers.size, (dy * DRAG) / fingers.size);
    if (wide > 0) camera = zoomed(camera, spread() / wide);
    aim.set(camera);
  };
  const up = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    if (!finger?.tapping || event.pointerType === "mouse" || fingers.size > 0) return;
    const { left, top } = element.getBoundingClientRect();
    aim.point({ x: event.clientX - left, y: event.clientY - top });
  };
  // The browser took the finger, to scroll the page: it never meant the points.
  const cancel = (event: PointerEvent) => {
    if (fingers.delete(event.pointerId)) aim.set(before);
  };
  // A finger leaves whenever it is lifted; what it tapped stays.
  const leave = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && document.activeElement !== element) aim.point(null);
  };
  // A page that scrolls must not stop at the scatter: the wheel zooms only what was clicked before.
  const wheel = (event: WheelEvent) => {
    if (document.activeElement !== element && !event.ctrlKey) return;
    event.preventDefault();
    aim.set(zoomed(aim.get(), Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015))));
  };
  const key = (event: KeyboardEvent) => {
    if (isOfButton(event)) return;
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow !== undefined && event.shiftKey) aim.step(...arrow);
    else if (arrow !== undefined) aim.set(turned(aim.get(), arrow[0] * KEY_TURN, arrow[1] * KEY_TURN));
    else if (event.key === "+" || event.key === "=") aim.set(zoomed(aim.get(), KEY_ZOOM));
    else if (event.key === "-") aim.set(zoomed(aim.get(), 1 / KEY_ZOOM));
    else if (event.key === "Enter") aim.approach();
    else if (event.key === "0" || event.key === "Home") aim.home();
    else return;
    event.preventDefault();
  };

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", cancel, { signal });
  element.addEventListener("pointerleave", leave, { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
  element.addEventListener("dblclick", () => aim.approach(), { signal });
  element.addEventListener("keydown", key, { signal });
  return () => stop.abort();
}
