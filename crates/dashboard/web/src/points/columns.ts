import type { Phase } from "../generated/events";

/** Phases in the order of their codes. */
export const PHASES: readonly Phase[] = ["clean", "armed", "infecting", "infected_running", "dormant"];

/** Bytes a point in packed columns. */
export const POINT_BYTES = 9;

/** 65535 stands for 1.0. */
const ONE = 65535;

/** Points, one column a property, all of one length. */
export interface Columns {
  x: Uint16Array;
  y: Uint16Array;
  z: Uint16Array;
  /** Codes of `PHASES`. */
  phase: Uint8Array;
  predicted: Uint8Array;
  cluster: Uint8Array;
}

export interface Point {
  x: number;
  y: number;
  z: number;
  phase: Phase;
  predicted: Phase;
  cluster: number;
}

export function allocate(length: number): Columns {
  return view(new ArrayBuffer(length * POINT_BYTES), length);
}

/** Columns over packed bytes, little-endian as every machine with a browser is; nothing is copied. */
export function unpack(packed: ArrayBuffer): Columns {
  if (packed.byteLength % POINT_BYTES !== 0) {
    throw new Error(`${packed.byteLength} bytes are not a whole number of points of ${POINT_BYTES} bytes`);
  }
  return view(packed, packed.byteLength / POINT_BYTES);
}

function view(buffer: ArrayBuffer, n: number): Columns {
  return {
    x: new Uint16Array(buffer, 0, n),
    y: new Uint16Array(buffer, 2 * n, n),
    z: new Uint16Array(buffer, 4 * n, n),
    phase: new Uint8Array(buffer, 6 * n, n),
    predicted: new Uint8Array(buffer, 7 * n, n),
    cluster: new Uint8Array(buffer, 8 * n, n),
  };
}

/** Single points, packed as the broadcaster packs a snapshot. Clusters past 255 share the last byte. */
export function pack(points: readonly Point[]): ArrayBuffer {
  const buffer = new ArrayBuffer(points.length * POINT_BYTES);
  const columns = view(buffer, points.length);
  points.forEach((point, i) => {
    columns.x[i] = Math.round(point.x * ONE);
    columns.y[i] = Math.round(point.y * ONE);
    columns.z[i] = Math.round(point.z * ONE);
    columns.phase[i] = PHASES.indexOf(point.phase);
    columns.predicted[i] = PHASES.indexOf(point.predicted);
    columns.cluster[i] = Math.min(point.cluster, 255);
  });
  return buffer;
}

export function pointAt(columns: Columns, i: number): Point {
  const phase = (code: number | undefined): Phase => PHASES[code ?? 0] ?? "clean";
  return {
    x: (columns.x[i] ?? 0) / ONE,
    y: (columns.y[i] ?? 0) / ONE,
    z: (columns.z[i] ?? 0) / ONE,
    phase: phase(columns.phase[i]),
    predicted: phase(columns.predicted[i]),
    cluster: columns.cluster[i] ?? 0,
  };
}
