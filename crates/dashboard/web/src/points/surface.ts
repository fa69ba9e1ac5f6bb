/** Nothing was drawn here. Farther away than everything. */
export const EMPTY = 0x7fffffff;

const FOG_BITS = 5;
/** Depth levels that a colour can tell apart. */
export const FOG_LEVELS = 1 << FOG_BITS;

/**
 * A picture of ids: which point is seen at each pixel.
 *
 * Each cell holds one integer, `behind (1 bit) | depth | id`, so that "is nearer" is one comparison, the picture does not depend on the
 * order of drawing, and the point under a pixel is read off. The more points, the more bits for ids and the fewer for depth.
 */
export interface Surface {
  readonly width: number;
  readonly height: number;
  readonly cells: Int32Array;
  /** Bits of a cell that hold the id. */
  readonly idBits: number;
}

const BEHIND_BIT = 30;
export const BEHIND = 1 << BEHIND_BIT;

export function surface(width: number, height: number, ids: number): Surface {
  const idBits = Math.max(8, Math.ceil(Math.log2(ids + 1)));
  if (idBits > 24) throw new Error(`${ids} ids leave no room for depth`);
  return { width, height, cells: new Int32Array(width * height).fill(EMPTY), idBits };
}

/** How many depths a cell tells apart. */
export const depths = ({ idBits }: Surface): number => 1 << (BEHIND_BIT - idBits);

export const idOf = (surface: Surface, cell: number): number => cell & ((1 << surface.idBits) - 1);

/** `behind` and the top bits of the depth: 0 to 31 in front, 32 to 63 behind, near to far. */
export const fogOf = (cell: number): number => cell >>> (BEHIND_BIT - FOG_BITS);
