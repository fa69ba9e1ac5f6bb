import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Point } from "../src/generated/events";
import { aligned, type How } from "../src/scenes/training/aligned";
import { smoothed } from "../src/scenes/training/smooth";
import { OTHER, type Tab, tabOf } from "../src/scenes/training/tabs";
import { Pyramid } from "../src/state/series";

const TABS: readonly Tab[] = JSON.parse(readFileSync(new URL("../../src/tabs.json", import.meta.url), "utf8"));
const plain: How = { across: "step", log: { x: false, y: false }, smoothing: 0, since: 0 };
const of = (...points: Point[]) => ({ points, ends: new Set(points), start: 1_000 });

describe("tabs", () => {
  test("are by how a name begins, the longest beginning first", () => {
    const tabs = ["loss", "loss/validation", "lr", "moe_router_loss", "moe_balance", "sys.load", "checkpoint_bytes", "time_to_3b", "accuracy"];
    expect(tabs.map((metric) => tabOf(metric, TABS).title)).toEqual([
      "Training",
      "Training",
      "Training",
      "Training",
      "Model",
      "System",
      "Checkpoints",
      "Progress",
      "Other",
    ]);
    expect(tabOf("", TABS)).toBe(OTHER);
  });
});

describe("smoothing", () => {
  test("leaves a level where it is, and with no weight everything", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (level, count, weight) => {
        for (const value of smoothed(Array(count).fill(level), weight)) expect(value).toBeCloseTo(level, 3);
      }),
    );
    expect(smoothed([3, 1, 2], 0)).toEqual([3, 1, 2]);
  });
  test("is a mean of what came before, which weighs less and less", () => {
    expect(smoothed([1, 0, 0], 0.5)).toEqual([1, 0.5 / 1.5, 0.25 / 1.75]);
  });
});

test("what is smoothed of a long series is not pulled by its peaks", () => {
  let random = 1;
  const next = () => {
    random = (random * 48_271) % 2_147_483_647;
    return random / 2_147_483_647;
  };
  const points = Array.from({ length: 60_000 }, (_, i): Point => [i, next() < 0.01 ? 100 : next(), 1_000 + i]);
  const pyramid = Pyramid.empty(500).with(points);
  const line = { points: pyramid.points(), ends: pyramid.ends(), start: 1_000 };
  const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const calm = aligned([line], { ...plain, smoothing: 0.9 }).smooth[0]!.filter((value) => value !== null);
  const truth = mean(points.map(([, value]) => value));
  expect(Math.abs(mean(calm) - truth)).toBeLessThan(truth / 2);
  // All that is drawn would be far above.
  expect(mean(line.points.map(([, value]) => value))).toBeGreaterThan(10 * truth);
});

test("of ten thousand series every spike is drawn", () => {
  let random = 7;
  const next = (most: number) => {
    random = (random * 48_271) % 2_147_483_647;
    return random % most;
  };
  for (let drawn = 0; drawn < 10_000; drawn += 10) {
    const spikes: number[] = [];
    const lines = Array.from({ length: 10 }, () => {
      const [count, stride] = [2 + next(400), 1 + next(50)];
      const spike = next(count);
      spikes.push(spike * stride);
      const points = Array.from({ length: count }, (_, i): Point => [i * stride, i === spike ? 50 : next(100) / 100, 1_000 + i]);
      const pyramid = Pyramid.empty(1 + next(128)).with(points);
      return { points: pyramid.points(), ends: pyramid.ends(), start: 1_000 };
    });
    const { x, y } = aligned(lines, { ...plain, smoothing: next(2) / 2 });
    expect(y.map((column) => x[column.indexOf(50)])).toEqual(spikes);
  }
});

describe("series over one axis", () => {
  test("have a column each, with holes where they have no point", () => {
    expect(aligned([of([1, 10, 1_001], [3, 30, 1_003]), of([2, 20, 1_002], [3, 33, 1_003])], plain)).toMatchObject({
      x: [1, 2, 3],
      y: [
        [10, null, 30],
        [null, 20, 33],
      ],
      left: 0,
    });
  });
  test("stand above the time since their start, or above the time, in its order", () => {
    const again = of([5, 1, 1_500], [6, 2, 1_400]);
    expect(aligned([again], { ...plain, across: "relative" })).toMatchObject({ x: [400, 500], y: [[2, 1]] });
    expect(aligned([again], { ...plain, across: "time", since: 1_450 })).toMatchObject({ x: [1_500], y: [[1]] });
  });
  test("are true on logarithmic axes: what has no place there is counted", () => {
    const series = [of([0, 1, 1_000], [1, 0, 1_001], [2, -1, 1_002], [3, 4, 1_003])];
    expect(aligned(series, { ...plain, log: { x: true, y: true } })).toMatchObject({ x: [3], y: [[4]], left: 3 });
  });
  test("are smoothed without what is there only because it is high or low, and where there is no place for a point too", () => {
    const points: Point[] = [
      [1, -1, 1_001],
      [2, 900, 1_002],
      [3, 5, 1_003],
    ];
    const line = { points, ends: new Set([points[0]!, points[2]!]), start: 1_000 };
    expect(aligned([line], { ...plain, smoothing: 0.5, log: { x: false, y: true } })).toEqual({
      x: [2, 3],
      y: [[900, 5]],
      smooth: [[null, (5 - 0.5) / 1.5]],
      left: 1,
    });
  });
  test("of very many lines keep every peak, within a fraction of a pixel", () => {
    const line = (shift: number) => of(...Array.from({ length: 4_000 }, (_, i): Point => [7 * i + shift, i === 1_234 + shift ? 99 : 0, 1_000 + i]));
    const lines = Array.from({ length: 200 }, (_, i) => line(i));
    const drawn = aligned(lines, plain);
    expect(drawn.x.length * lines.length).toBeLessThanOrEqual(1_200_000);
    for (const [i, y] of drawn.y.entries()) {
      const at = y.indexOf(99);
      expect(Math.abs(drawn.x[at]! - (7 * (1_234 + i) + i))).toBeLessThan(28_200 / 1_000);
    }
  });
  test("lose no point, whatever the others are", () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1_000, max: 1_009 }));
    fc.assert(
      fc.property(fc.array(fc.array(point, { maxLength: 30 }), { maxLength: 5 }), fc.constantFrom("step" as const, "relative" as const), (all, across) => {
        const drawn = aligned(
          all.map((points) => of(...(points as Point[]))),
          { ...plain, across, smoothing: 0.5 },
        );
        expect(drawn.x).toEqual(drawn.x.toSorted((a, b) => a - b));
        for (const [i, points] of all.entries()) {
          const pairs = drawn.x.flatMap((x, at) => (drawn.y[i]![at] === null ? [] : [[x, drawn.y[i]![at]]]));
          const expected = points.map(([step, value, time]) => [across === "step" ? step : time - 1_000, value]);
          const sort = (of: unknown[]) => of.map((one) => JSON.stringify(one)).sort();
          expect(sort(pairs)).toEqual(sort(expected));
          expect(drawn.smooth[i]!.map((value) => value === null)).toEqual(drawn.y[i]!.map((value) => value === null));
        }
      }),
    );
  });
});
