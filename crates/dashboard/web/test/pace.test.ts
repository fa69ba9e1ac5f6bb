import { describe, expect, test } from "vitest";
import { type Cost, fitting, learned, unknown } from "../src/points/pace";

/** What is drawn of so many points after 120 frames on a machine of this cost. */
function settled(points: number, machine: Cost): number {
  let cost = unknown;
  for (let frame = 0; frame < 120; frame++) {
    const drawn = Math.round(points * fitting(points, cost));
    const pointMs = drawn * machine.point;
    cost = learned(cost, { points: drawn, pointMs, ms: pointMs + machine.pixels });
  }
  return fitting(points, cost);
}

describe("what fits a frame while the picture moves", () => {
  test("is everything where there is time for everything", () => {
    expect(settled(100_000, { point: 3e-5, pixels: 4 })).toBe(1);
  });

  test("is what the pixels leave time for", () => {
    expect(settled(1_000_000, { point: 1e-5, pixels: 5 })).toBeCloseTo(0.8, 6);
  });

  test("does not shrink because the pixels alone take longer than a frame", () => {
    expect(settled(100_000, { point: 2e-5, pixels: 15 })).toBe(1);
    expect(settled(1_000_000, { point: 1e-5, pixels: 40 })).toBeCloseTo(0.4, 6);
  });

  test("is all of the marks, on however slow a machine", () => {
    expect(settled(2_000, { point: 0.1, pixels: 200 })).toBe(1);
    expect(settled(20_000, { point: 0.1, pixels: 200 })).toBe(1);
  });

  test("is never less than a twentieth, so that a cloud keeps its shape", () => {
    expect(settled(1_000_000, { point: 1e-3, pixels: 15 })).toBe(0.05);
  });

  test("comes back after one slow frame", () => {
    const quick = { points: 100_000, pointMs: 2, ms: 6 };
    let cost = learned(unknown, quick);
    cost = learned(cost, { points: 100_000, pointMs: 300, ms: 310 });
    expect(fitting(100_000, cost)).toBeLessThan(1);
    for (let frame = 0; frame < 15; frame++) cost = learned(cost, quick);
    expect(fitting(100_000, cost)).toBe(1);
  });

  test("nothing is learned from a frame that only looked colours up", () => {
    const cost = learned(unknown, { points: 10, pointMs: 1, ms: 5 });
    expect(learned(cost, { points: 0, pointMs: 0, ms: 90 })).toBe(cost);
  });
});
