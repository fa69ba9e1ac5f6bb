import { describe, expect, test } from "vitest";
import { type Pair, pixel } from "../src/palette/colour";
import { namePairs, slots } from "../src/palette/names";
import { phasePairs, verdictPairs } from "../src/palette/phases";
import { markOf } from "../src/points/stamp";

type Rgb = [number, number, number];

/** Linear light, 0..1. */
const linear = (hex: string): Rgb => {
  const value = pixel(hex);
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255].map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  ) as Rgb;
};

const times = (matrix: Rgb[], [r, g, b]: Rgb): Rgb => matrix.map((row) => row[0] * r + row[1] * g + row[2] * b) as Rgb;

/** Full deficiency, Machado, Oliveira and Fernandes 2009, on linear light. */
const visions: Record<string, Rgb[]> = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** Oklab (Ottosson 2020), where distances are about as they look. */
function oklab(rgb: Rgb): Rgb {
  const lms = times(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]],
    rgb.map((c) => Math.max(0, Math.min(1, c))) as Rgb,
  ).map(Math.cbrt) as Rgb;
  return times(
    [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]],
    lms,
  );
}

const luminance = (hex: string) => linear(hex).reduce((sum, c, i) => sum + c * ([0.2126, 0.7152, 0.0722][i] ?? 0), 0);
const contrast = (a: string, b: string) => {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
};

/** The pages there are: their paper, the colour that a pair has there, and how much it must stand out. */
const pages: [string, string, (pair: Pair) => string, number][] = [
  ["light page", "#fbfaf7", ({ light }) => light, 2],
  ["dark page", "#0f1115", ({ dark }) => dark, 2],
  ["light page in high contrast", "#ffffff", ({ light, strong }) => strong ?? light, 3],
  ["dark page in high contrast", "#000000", ({ dark }) => dark, 3],
];

describe.each<[string, readonly Pair[], number]>([
  ["phases", phasePairs, 0.1],
  ["names", namePairs, 0.1],
  ["verdicts", verdictPairs, 0.1],
])("the colours of %s", (_, pairs, least) => {
  describe.each(pages)("on a %s", (_, paper, shade, enough) => {
    test.each(Object.keys(visions))("stay apart with %s vision", (vision) => {
      const seen = pairs.map((pair) => oklab(times(visions[vision] ?? [], linear(shade(pair)))));
      for (const [i, a] of seen.entries()) {
        for (const b of seen.slice(0, i)) {
          expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), `${i}`).toBeGreaterThanOrEqual(least);
        }
      }
    });

    test("stand out from the paper", () => {
      for (const pair of pairs) expect(contrast(shade(pair), paper), shade(pair)).toBeGreaterThanOrEqual(enough);
    });
  });
});

describe("slots of names", () => {
  test("a known model keeps its own, whatever it is shown beside", () => {
    expect(slots(["knn"]).get("knn")).toBe(slots(["bert", "knn", "zebra"]).get("knn"));
  });

  test("any other name has one that does not depend on the order in which names arrive", () => {
    expect([...slots(["alpha", "beta", "knn"])].sort()).toEqual([...slots(["knn", "beta", "alpha"])].sort());
  });

  test("no two names share a colour while there are colours, nor colour and mark together after that", () => {
    const few = slots(["a", "b", "c", "d", "knn", "gbt", "e", "f"]);
    expect(new Set([...few.values()].map((slot) => slot % namePairs.length)).size).toBe(8);
    const many = slots(Array.from({ length: 20 }, (_, i) => `model ${i}`));
    expect(new Set([...many.values()].map((slot) => `${slot % namePairs.length} ${markOf(slot)}`)).size).toBe(20);
  });
});

test("a pixel is read from a style as it is computed", () => {
  expect(pixel("#0f1115")).toBe(0xff15110f);
  expect(pixel("rgb(251, 250, 247)")).toBe(0xfff7fafb);
});
