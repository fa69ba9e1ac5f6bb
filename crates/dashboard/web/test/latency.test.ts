import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apart, decades, frontier, placeLabels, tenths } from "../src/scenes/latency/scale";

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

test("marks that would hide each other move aside: no farther than they must, at their heights, in their order", () => {
  expect(apart([{ x: 50, y: 10 }, { x: 54, y: 10 }, { x: 90, y: 10 }, { x: 90, y: 80 }], 12).map(({ x }) => x)).toEqual([46, 58, 90, 90]);
  const place = fc.record({ x: fc.integer({ max: 300, min: 0 }), y: fc.integer({ max: 200, min: 0 }) });
  fc.assert(
    fc.property(fc.array(place, { maxLength: 12 }), (places) => {
      const before = places.toSorted((a, b) => a.x - b.x);
      const after = apart(before, 12);
      expect(after.map(({ y }) => y)).toEqual(before.map(({ y }) => y));
      for (const [i, a] of after.entries()) {
        for (const b of after.slice(0, i)) {
          expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(11.5);
          if (Math.abs(a.y - b.y) < 12) expect(b.x).toBeLessThanOrEqual(a.x);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

describe("labels", () => {
  const area = { width: 200, height: 200 };
  const line = 15;
  const boxes = (marks: { x: number; y: number; width: number }[]) =>
    placeLabels(marks, area, line).map(({ x, y, anchor }, i) => {
      const { width } = marks[i]!;
      const left = x - { start: 0, middle: width / 2, end: width }[anchor];
      return { left, right: left + width, top: y - line / 2, bottom: y + line / 2 };
    });
  const between = (box: ReturnType<typeof boxes>[0], { x, y }: { x: number; y: number }) =>
    Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));

  test("stay in the chart and off each other while there is room", () => {
    const placed = boxes([{ x: 50, y: 100, width: 60 }, { x: 60, y: 104, width: 60 }, { x: 190, y: 100, width: 60 }]);
    for (const [i, a] of placed.entries()) {
      expect(a.left >= 0 && a.right <= 200).toBe(true);
      for (const b of placed.slice(0, i)) expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
    }
  });

  test("are nearer to their own mark than to any other while there is room", () => {
    // Four models of a real report, close together.
    const marks = [
      { x: 58, y: 85, width: 27 },
      { x: 70, y: 80, width: 24 },
      { x: 70, y: 94, width: 31 },
      { x: 92, y: 73, width: 25 },
    ];
    for (const [i, box] of boxes(marks).entries()) {
      for (const other of marks) expect(between(box, other)).toBeGreaterThanOrEqual(between(box, marks[i]!));
    }
  });
});
