import { EMPTY, FOG_LEVELS, fogOf, idOf, type Surface } from "./surface";

/** A colour as it lies in image data: 0xAABBGGRR. */
export type Pixel = number;

export interface Look {
  /** One colour a category. */
  colours: readonly Pixel[];
  background: Pixel;
  /** The lines of the room. */
  line: Pixel;
  /** How much of the background is in the farthest points, 0 to 1. */
  fog: number;
  /** How much of it is in points that are behind. */
  fade: number;
}

/** Categories that a byte holds, and one for the lines. */
const LINE = 256;
const ROW = 2 * FOG_LEVELS;

/** Every colour that a look can give: by category, in front or behind, near to far. */
export function colourTable({ colours, background, line, fog, fade }: Look): Uint32Array {
  const table = new Uint32Array((LINE + 1) * ROW);
  for (let category = 0; category <= LINE; category++) {
    const colour = category === LINE ? line : (colours[category % colours.length] ?? line);
    for (let level = 0; level < FOG_LEVELS; level++) {
      const far = category === LINE ? 0 : (fog * level) / (FOG_LEVELS - 1);
      table[category * ROW + level] = mix(colour, background, far);
      table[category * ROW + FOG_LEVELS + level] = mix(colour, background, category === LINE ? 0 : far + fade * (1 - far));
    }
  }
  return table;
}

/**
 * Turns ids into colours: a look-up a pixel, no position is touched. Ids from `points` on are lines.
 *
 * With `halo`, a pixel beside a nearer point is background, so that marks that overlap stay apart.
 */
export function resolve(
  from: Surface,
  category: Uint8Array,
  points: number,
  table: Uint32Array,
  background: Pixel,
  halo: boolean,
  pixels: Uint32Array,
): void {
  const { cells, width } = from;
  const mask = (1 << from.idBits) - 1;
  const end = cells.length;
  pixels.fill(background);
  for (let i = 0; i < end; i++) {
    const cell = cells[i]!;
    if (cell === EMPTY) continue;
    const id = cell & mask;
    if (halo && id < points && i >= width && i < end - width && besideNearer(cells, i, width, cell, mask)) continue;
    pixels[i] = table[(id < points ? category[id]! : LINE) * ROW + fogOf(cell)]!;
  }
}

function besideNearer(cells: Int32Array, i: number, width: number, cell: number, mask: number): boolean {
  const id = cell & mask;
  const nearer = (other: number) => other < cell && (other & mask) !== id;
  return nearer(cells[i - 1]!) || nearer(cells[i + 1]!) || nearer(cells[i - width]!) || nearer(cells[i + width]!);
}

/** Averages squares of 2 by 2 pixels: smooth edges for a picture drawn at twice its size. */
export function halve(pixels: Uint32Array, width: number, height: number, into: Uint32Array): void {
  for (let y = 0, o = 0; y < height; y += 2) {
    for (let x = 0, i = y * width; x < width; x += 2, i += 2, o++) {
      const [a, b, c, d] = [pixels[i]!, pixels[i + 1]!, pixels[i + width]!, pixels[i + width + 1]!];
      into[o] = a === b && a === c && a === d ? a : average(a, b, c, d);
    }
  }
}

/** Four colours at once: even and odd bytes each have room for a sum. */
function average(a: Pixel, b: Pixel, c: Pixel, d: Pixel): Pixel {
  const even = ((a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff)) >>> 2;
  const odd = ((a >>> 8) & 0xff00ff) + ((b >>> 8) & 0xff00ff) + ((c >>> 8) & 0xff00ff) + ((d >>> 8) & 0xff00ff);
  return ((even & 0xff00ff) | (((odd >>> 2) & 0xff00ff) << 8)) >>> 0;
}

function mix(a: Pixel, b: Pixel, share: number): Pixel {
  let mixed = 0;
  for (let byte = 0; byte < 32; byte += 8) {
    const [from, to] = [(a >>> byte) & 255, (b >>> byte) & 255];
    mixed |= Math.round(from + (to - from) * share) << byte;
  }
  return mixed >>> 0;
}

/** The id nearest to a pixel within `reach` pixels, among those that `counts` accepts. */
export function idNear(from: Surface, x: number, y: number, reach: number, counts: (cell: number) => boolean): number | undefined {
  let found: number | undefined;
  let best = reach * reach + 1;
  for (let py = Math.max(0, y - reach); py <= Math.min(from.height - 1, y + reach); py++) {
    for (let px = Math.max(0, x - reach); px <= Math.min(from.width - 1, x + reach); px++) {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      const cell = from.cells[py * from.width + px] ?? EMPTY;
      if (distance < best && cell !== EMPTY && counts(cell)) [best, found] = [distance, idOf(from, cell)];
    }
  }
  return found;
}
