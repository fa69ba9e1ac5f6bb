import { type Camera, turned, zoomed } from "../../points/camera";

/** Degrees a CSS pixel of drag. */
const DRAG = 0.4;
const KEY_TURN = 6;
const KEY_ZOOM = 1.15;

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

/** Turns by drag, two fingers and keys, zooms by pinch, wheel and keys. Returns what undoes it. */
export function gestures(element: HTMLElement, aim: Aim): () => void {
  const fingers = new Map<number, { x: number; y: number }>();
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const move = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    if (finger === undefined) {
      const { left, top } = element.getBoundingClientRect();
      aim.point({ x: event.clientX - left, y: event.clientY - top });
      return;
    }
    const before = spread();
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    let camera = turned(aim.get(), (dx * DRAG) / fingers.size, (dy * DRAG) / fingers.size);
    if (before > 0) camera = zoomed(camera, spread() / before);
    aim.set(camera);
  };
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId) || event.pointerType === "mouse" || fingers.size > 0) return;
    const { left, top } = element.getBoundingClientRect();
    aim.point({ x: event.clientX - left, y: event.clientY - top });
  };
  const leave = () => {
    if (document.activeElement !== element) aim.point(null);
  };
  // A page that scrolls must not stop at the scatter: the wheel zooms only what was clicked before.
  const wheel = (event: WheelEvent) => {
    if (document.activeElement !== element && !event.ctrlKey) return;
    event.preventDefault();
    aim.set(zoomed(aim.get(), Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015))));
  };
  const key = (event: KeyboardEvent) => {
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
  element.addEventListener("pointercancel", up, { signal });
  element.addEventListener("pointerleave", leave, { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
  element.addEventListener("dblclick", () => aim.approach(), { signal });
  element.addEventListener("keydown", key, { signal });
  return () => stop.abort();
}
