import fc from "fast-check";
import { expect, test } from "vitest";
import { decades, frontier, placeLabels, tenths } from "../src/scenes/latency/scale";

test("the latency axis spans whole decades around all values, two at least", () => {
  expect(decades([42, 41_000])).toEqual([1, 5]);
  expect(decades([100])).toEqual([2, 4]);
  expect(decades([0.5, 0.7])).toEqual([-1, 1]);
});

test("the accuracy axis spans whole tenths around all values", () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(unit, { minLength: 1 }), (values) => {
      const [low, high] = tenths(values);
      expect(high - low).toBeGreaterThanOrEqual(0.299);
      expect([low >= 0, high <= 1]).toEqual([true, true]);
      for (const value of values) expect(value >= low && value <= high, `${value} in ${low}..${high}`).toBe(true);
    }),
  );
});

test("the frontier holds exactly those that nothing beats in both", () => {
  const model = fc.record({ latency_us: fc.integer({ min: 1, max: 20 }), accuracy: fc.integer({ min: 0, max: 20 }).map((n) => n / 20) });
  fc.assert(
    fc.property(fc.array(model), (models) => {
      const better = (a: (typeof models)[0], b: (typeof models)[0]) =>
        a.latency_us <= b.latency_us && a.accuracy >= b.accuracy && (a.latency_us < b.latency_us || a.accuracy > b.accuracy);
      const unbeaten = models.filter((b) => !models.some((a) => better(a, b)));
      const place = (m: (typeof models)[0]) => `${m.latency_us} ${m.accuracy}`;
      expect(new Set(frontier(models).map(place))).toEqual(new Set(unbeaten.map(place)));
    }),
  );
});

test("labels stay in the chart and off each other while there is room", () => {
  const marks = [
    { x: 50, y: 100, width: 60 },
    { x: 60, y: 104, width: 60 },
    { x: 190, y: 100, width: 60 },
  ];
  const labels = placeLabels(marks, { width: 200, height: 200 }, 15);
  const boxes = labels.map(({ x, y, anchor }) => ({ left: anchor === "end" ? x - 60 : x, right: anchor === "end" ? x : x + 60, y }));
  for (const [i, a] of boxes.entries()) {
    expect(a.left >= 0 && a.right <= 200).toBe(true);
    for (const b of boxes.slice(0, i)) expect(a.right <= b.left || b.right <= a.left || Math.abs(a.y - b.y) >= 15).toBe(true);
  }
});
