import type { Camera } from "./camera";
import type { Point } from "./columns";
import type { Colouring, Counts } from "./counts";
import type { Picked } from "./plot";
import type { Look } from "./resolve";

/** Page to point worker. */
export type Command =
  | { do: "canvas"; canvas: OffscreenCanvas; capacity: number }
  | { do: "size"; width: number; height: number; ratio: number }
  /** The address of packed columns, or nothing to show. */
  | { do: "load"; url: string | null }
  /** Single points, packed, and the `seq` of each one's event. */
  | { do: "place"; packed: ArrayBuffer; seqs: readonly number[] }
  | { do: "look"; colouring: Colouring; only: number | null; look: Look; labels: Labels }
  | { do: "camera"; camera: Camera }
  /** The point under a place of the canvas, in its pixels. */
  | { do: "pick"; x: number; y: number; reach: number }
  | { do: "step"; dx: number; dy: number }
  | { do: "release" }
  | { do: "rows"; from: number; to: number };

export interface Labels {
  axes: readonly [string, string, string];
  /** CSS. */
  colour: string;
  accent: string;
  font: string;
}

/** Point worker to page. */
export type Answer =
  /** Bytes that have arrived. */
  | { is: "loading"; received: number }
  | { is: "loaded" }
  /** It is tried again. */
  | { is: "failed"; why: string }
  | { is: "counts"; counts: Counts }
  | { is: "picked"; picked: Picked | null }
  | { is: "rows"; from: number; rows: Point[] }
  /** A frame: how long it took to draw, and how many points it shows. */
  | { is: "drawn"; ms: number; points: number };
