import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Point } from "../src/generated/events";
import { Pyramid } from "../src/state/series";

const golden = new URL("../../../runs/tests/runs/golden/pyramids.ndjson", import.meta.url);
const cases = readFileSync(golden, "utf8").trim().split("\n");

describe("a series", () => {
  test("is drawn as the broadcaster draws it", () => {
    for (const line of cases) {
      const { most, points, drawn } = JSON.parse(line);
      expect(Pyramid.empty(most).with(points).points()).toEqual(drawn);
    }
  });

  test("is the same in whatever order, and however often, its points come", () => {
    const point = fc.tuple(fc.nat(5_000), fc.integer({ min: -3, max: 3 }), fc.nat(3));
    fc.assert(
      fc.property(fc.array(point), fc.integer({ min: 1, max: 40 }), (points: Point[], most) => {
        const drawn = Pyramid.empty(most).with(points).points();
        const again = Pyramid.empty(most).with([...points].reverse()).with(points);
        expect(again.points()).toEqual(drawn);
        expect(again.with(points)).toBe(again);
        expect(Pyramid.empty(most).with(drawn).points()).toEqual(drawn);
      }),
    );
  });
});
