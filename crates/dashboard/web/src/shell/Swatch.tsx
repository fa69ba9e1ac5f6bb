import type { Mark } from "../points/stamp";

/** Outlines with about the area of a circle of radius 5, around (0, 0). */
const outlines: Record<Mark, string> = {
  circle: "M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z",
  square: "M-4.4-4.4H4.4V4.4H-4.4Z",
  triangle: "M0-5.6L5.6 4.2H-5.6Z",
  diamond: "M0-6.2L6.2 0L0 6.2L-6.2 0Z",
  cross: "M-1.9-5.8H1.9V-1.9H5.8V1.9H1.9V5.8H-1.9V1.9H-5.8V-1.9H-1.9Z",
  ring: "M5.5 0A5.5 5.5 0 1 1-5.5 0A5.5 5.5 0 1 1 5.5 0ZM2.9 0A2.9 2.9 0 1 0-2.9 0A2.9 2.9 0 1 0 2.9 0Z",
};

/** A mark, to be placed in an svg. */
export const MarkPath = ({ mark, colour }: { mark: Mark; colour: string }) => <path d={outlines[mark]} fill={colour} />;

/** A mark in a line of text. */
export const Swatch = ({ mark, colour }: { mark: Mark; colour: string }) => (
  <svg class="swatch" viewBox="-7 -7 14 14" aria-hidden="true">
    <MarkPath mark={mark} colour={colour} />
  </svg>
);
