import { dashOf } from "../palette/names";

/** A piece of a line as it is drawn, in a line of text. */
export const LineSample = ({ slot, colour }: { slot: number; colour: string }) => (
  <svg class="sample-line" viewBox="0 0 28 8" aria-hidden="true">
    <path d="M0 4H28" stroke={colour} stroke-width="3" stroke-dasharray={dashOf(slot).join(" ")} fill="none" />
  </svg>
);
