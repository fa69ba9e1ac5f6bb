import type { Columns } from "./columns";

/** Points in one layer; a layer is a fair sample of all points. */
const LAYER = 32_768;

/**
 * The order to draw points in: `order[i]` is the row of the i-th.
 *
 * Rows come sorted by host and time, so a prefix of them would be some hosts only. Here any prefix is a sample of everything, to
 * within a layer; and in a layer, points near in space are near in the order (Morton curve), so that drawing writes to nearby pixels.
 */
export function drawingOrder({ x, y, z }: Columns): Uint32Array {
  const n = x.length;
  const layers = Math.max(1, Math.round(n / LAYER));
  const keys = new Uint32Array(n);
  for (let row = 0; row < n; row++) {
    // A multiplicative hash: the same rows always give the same picture.
    const layer = (((Math.imul(row, 0x9e3779b1) >>> 0) * layers) / 2 ** 32) >>> 0;
    const place = spread(x[row]! >>> 11) | (spread(y[row]! >>> 11) << 1) | (spread(z[row]! >>> 11) << 2);
    keys[row] = (layer << 15) | place;
  }
  return radixSorted(keys, 15 + Math.ceil(Math.log2(layers + 1)));
}

/** Five bits, two zeros between them. */
function spread(bits: number): number {
  bits = (bits | (bits << 8)) & 0x100f;
  bits = (bits | (bits << 4)) & 0x10c3;
  return (bits | (bits << 2)) & 0x1249;
}

const DIGIT = 11;

/** The indices of the keys in ascending order of key; equal keys keep their order. */
function radixSorted(keys: Uint32Array, bits: number): Uint32Array {
  const n = keys.length;
  let order = Uint32Array.from({ length: n }, (_, i) => i);
  let sorted = new Uint32Array(n);
  const starts = new Uint32Array(1 << DIGIT);
  for (let shift = 0; shift < bits; shift += DIGIT) {
    starts.fill(0);
    for (let i = 0; i < n; i++) starts[(keys[i]! >>> shift) & (starts.length - 1)]!++;
    for (let digit = 0, sum = 0; digit < starts.length; digit++) {
      const count = starts[digit]!;
      starts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const row = order[i]!;
      sorted[starts[(keys[row]! >>> shift) & (starts.length - 1)]!++] = row;
    }
    [order, sorted] = [sorted, order];
  }
  return order;
}
