import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Phase } from "../generated/events";
import { phaseColours } from "../palette/phases";
import { contrast, dark, shade } from "../view/theme";

/** A window: what was said of it and, where it is known, what it was. */
export interface Cell {
  predicted: Phase;
  phase?: Phase | null;
}

interface Props {
  /** Oldest first; the newest are at the right. Drawn again when it is another array. */
  cells: readonly Cell[];
  /** Cells that there is room for. */
  room: number;
  /** CSS pixels. */
  width: number;
  height: number;
}

/** Of the height: what was said, a gap, what was. */
const SAID = 0.66;
const GAP = 0.1;

/** Windows side by side, what was said above what was. What was said wrongly has a hole. */
export function Strip({ cells, room, width, height }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = useMemo(
    () => Object.fromEntries(Object.entries(phaseColours).map(([phase, pair]) => [phase, shade(pair)])),
    [dark.value, contrast.value],
  );
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context == null) return;
    const scale = devicePixelRatio;
    context.canvas.width = Math.max(1, Math.round(width * scale));
    context.canvas.height = Math.max(1, Math.round(height * scale));
    const { width: across, height: down } = context.canvas;
    const edge = (place: number) => Math.round((place * across) / room);
    const gap = across / room > 3 * scale ? Math.round(scale) : 0;
    const said = Math.round(down * SAID);
    const was = Math.round(down * (SAID + GAP));
    for (const [i, { predicted, phase }] of cells.entries()) {
      const left = edge(room - cells.length + i);
      const wide = edge(room - cells.length + i + 1) - left - gap;
      context.fillStyle = palette[predicted] ?? "";
      context.fillRect(left, 0, wide, said);
      if (phase == null) continue;
      context.fillStyle = palette[phase] ?? "";
      context.fillRect(left, was, wide, down - was);
      if (phase === predicted) continue;
      const hole = Math.max(scale, Math.round(Math.min(wide, said) / 3));
      context.clearRect(left + Math.round((wide - hole) / 2), Math.round((said - hole) / 2), hole, hole);
    }
  }, [cells, room, width, height, palette]);
  return <canvas class="strip" ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} aria-hidden="true" />;
}
