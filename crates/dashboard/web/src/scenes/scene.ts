import type { ReadonlySignal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { EventType } from "../generated/events";

/** One exhibit on the wall. A scene is a folder beside this file; index.ts lists them in their order. */
export interface Scene {
  /** Its name in an address, and its place in the style sheet's grid. */
  id: string;
  title: string;
  /** What the title needs said: what the numbers mean. */
  caption: string;
  /** The event types that it shows. */
  reads: readonly EventType[];
  /** Whether there is anything to show. */
  filled: ReadonlySignal<boolean>;
  /** Said when there is nothing: what would fill it, and the command to type. */
  empty: { text: string; command?: string };
  Chart: ComponentType;
  /** The same as text, unless the chart is a table. */
  Table?: ComponentType;
}
