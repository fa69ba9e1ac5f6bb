import type { Pixel } from "../points/resolve";

/** One colour on a light page and one on a dark one, as `#rrggbb`. */
export interface Pair {
  light: string;
  dark: string;
  /** On a light page in high contrast, where `light` is too pale for it. */
  strong?: string;
}

/** `#rrggbb` or `rgb(r, g, b)`, as styles are computed, as a pixel of image data. */
export function pixel(css: string): Pixel {
  const [r, g, b] = css.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(css.slice(at, at + 2), 16))
    : (css.match(/[\d.]+/g) ?? []).map(Number);
  return (0xff000000 | ((b ?? 0) << 16) | ((g ?? 0) << 8) | (r ?? 0)) >>> 0;
}
