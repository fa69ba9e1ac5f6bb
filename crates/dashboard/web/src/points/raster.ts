import type { Projection } from "./camera";
import type { Columns } from "./columns";
import { type Shape, type Stamps, STAMP_LEVELS } from "./stamp";
import { BEHIND, depths, type Surface } from "./surface";

const ONE = 65535;

/**
 * Draws points `from` to `to` as squares of `side` pixels. 1 to 3 are for many points: a plain loop over the columns, one
 * comparison a pixel. Points whose category is `behind` lie behind all that are not.
 */
export function rasterSquares(
  target: Surface,
  { x, y, z }: Pick<Columns, "x" | "y" | "z">,
  view: Projection,
  from: number,
  to: number,
  side: number,
  category: Uint8Array,
  behind: Uint8Array | null,
): void {
  const { width, height, cells, idBits } = target;
  const [x0, x1, x2, x3] = scaled(view.x);
  const [y0, y1, y2, y3] = scaled(view.y);
  const [q0, q1, q2, q3] = scaled(view.q);
  const { cx, cy } = view;
  const depth = view.depth * depths(target);
  const depth0 = view.depth0 * depths(target);
  const right = width - side;
  const bottom = height - side;
  const shift = (side - 1) / 2;
  const ox = cx - shift;
  const oy = cy - shift;
  for (let i = from; i < to; i++) {
    const px = x[i]!;
    const py = y[i]!;
    const pz = z[i]!;
    const q = q0 * px + q1 * py + q2 * pz + q3;
    const inverse = 1 / q;
    const sx = (x0 * px + x1 * py + x2 * pz + x3) * inverse + ox;
    const sy = (y0 * px + y1 * py + y2 * pz + y3) * inverse + oy;
    if (!(sx >= 0 && sy >= 0 && sx < right && sy < bottom)) continue;
    let cell = ((q * depth + depth0) << idBits) | i;
    if (behind !== null && behind[category[i]!] !== 0) cell |= BEHIND;
    let o = (sy | 0) * width + (sx | 0);
    if (side === 2) {
      if (cell < cells[o]!) cells[o] = cell;
      if (cell < cells[o + 1]!) cells[o + 1] = cell;
      o += width;
      if (cell < cells[o]!) cells[o] = cell;
      if (cell < cells[o + 1]!) cells[o + 1] = cell;
    } else {
      for (let row = 0; row < side; row++, o += width) {
        for (let column = 0; column < side; column++) if (cell < cells[o + column]!) cells[o + column] = cell;
      }
    }
  }
}

/** Draws points `from` to `to` as shapes that tell categories apart, larger when nearer. For few points. */
export function rasterStamps(
  target: Surface,
  { x, y, z }: Pick<Columns, "x" | "y" | "z">,
  view: Projection,
  from: number,
  to: number,
  stamps: Stamps,
  category: Uint8Array,
  behind: Uint8Array | null,
): void {
  const { width, height, cells, idBits } = target;
  const levels = depths(target);
  const perLevel = levels / STAMP_LEVELS;
  for (let i = from; i < to; i++) {
    const px = x[i]! / ONE;
    const py = y[i]! / ONE;
    const pz = z[i]! / ONE;
    const q = view.q[0] * px + view.q[1] * py + view.q[2] * pz + view.q[3];
    const sx = Math.round((view.x[0] * px + view.x[1] * py + view.x[2] * pz + view.x[3]) / q + view.cx);
    const sy = Math.round((view.y[0] * px + view.y[1] * py + view.y[2] * pz + view.y[3]) / q + view.cy);
    const depth = ((q * view.depth + view.depth0) * levels) | 0;
    const kind = category[i]!;
    const shape: Shape = stamps.of(kind, (depth / perLevel) | 0);
    if (sx < shape.reach || sy < shape.reach || sx >= width - shape.reach || sy >= height - shape.reach) continue;
    let cell = (depth << idBits) | i;
    if (behind !== null && behind[kind] !== 0) cell |= BEHIND;
    const centre = sy * width + sx;
    for (let k = 0; k < shape.dx.length; k++) {
      const o = centre + shape.dy[k]! * width + shape.dx[k]!;
      if (cell < cells[o]!) cells[o] = cell;
    }
  }
}

/** Draws a straight line between two places of the cube under one id, `thickness` pixels wide. */
export function rasterLine(
  target: Surface,
  view: Projection,
  a: readonly [number, number, number],
  b: readonly [number, number, number],
  id: number,
  thickness: number,
): void {
  const { width, height, cells, idBits } = target;
  const steps = Math.ceil(Math.hypot(view.x[0], view.x[1], view.x[2]) * 1.5) + 1;
  for (let step = 0; step <= steps; step++) {
    const t = step / steps;
    const [px, py, pz] = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
    const q = view.q[0] * px + view.q[1] * py + view.q[2] * pz + view.q[3];
    const sx = ((view.x[0] * px + view.x[1] * py + view.x[2] * pz + view.x[3]) / q + view.cx) | 0;
    const sy = ((view.y[0] * px + view.y[1] * py + view.y[2] * pz + view.y[3]) / q + view.cy) | 0;
    if (sx < 0 || sy < 0 || sx >= width - thickness || sy >= height - thickness) continue;
    // Lines are the room that points are in: they lie behind all of them.
    const cell = BEHIND | (((q * view.depth + view.depth0) * depths(target)) << idBits) | id;
    for (let dy = 0; dy < thickness; dy++) {
      for (let dx = 0; dx < thickness; dx++) {
        const o = (sy + dy) * width + sx + dx;
        if (cell < cells[o]!) cells[o] = cell;
      }
    }
  }
}

/** The same affine map of 16-bit coordinates. */
function scaled([a, b, c, d]: readonly [number, number, number, number]): [number, number, number, number] {
  return [a / ONE, b / ONE, c / ONE, d];
}
