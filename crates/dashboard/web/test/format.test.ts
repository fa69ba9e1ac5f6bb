import { expect, test } from "vitest";
import { bytes, count, fraction, latency, share, ticks } from "../src/format/number";
import { ago, durationTicks, moment, timeTicks } from "../src/format/time";

test("numbers carry units and three digits that mean something", () => {
  expect([1, 42, 185, 999.4].map(latency)).toEqual(["1.00 µs", "42.0 µs", "185 µs", "999 µs"]);
  expect([1_240, 41_000, 2_100_000, 99_960].map(latency)).toEqual(["1.24 ms", "41.0 ms", "2.10 s", "100 ms"]);
  expect([0, 1023, 1024, 48_312_887_221].map((n) => bytes(n).join(" "))).toEqual(["0 B", "1,023 B", "1.00 KiB", "45.0 GiB"]);
  expect(bytes(2 ** 70).join(" ")).toBe("1,048,576 PiB");
  expect(count(1234567)).toBe("1,234,567");
  expect(fraction(0.7634)).toBe("0.763");
});

test("a small share is not rounded to nothing, nor a large one up to everything it is not", () => {
  expect([0, 0.0001, 0.012, 0.34, 1].map(share)).toEqual(["0 %", "< 0.1 %", "1.2 %", "34 %", "100 %"]);
  expect(share(0.9999)).toBe("> 99.9 %");
  expect(share(0.996)).toBe("99.6 %");
});

test("what stands along an axis can be told apart", () => {
  expect(ticks([0, 2_000, 4_000, null])).toEqual(["0", "2K", "4K", ""]);
  expect(ticks([12_300, 12_310, 12_320])).toEqual(["12.3K", "12.31K", "12.32K"]);
  expect(ticks([0.001, 0.001002])).toEqual(["0.001", "0.001002"]);
  expect(durationTicks([0, 1_800, 3_600])).toEqual(["0.0 h", "0.5 h", "1.0 h"]);
  expect(durationTicks([0, 60, 120])).toEqual(["0 min", "1 min", "2 min"]);
  const [noon, midnight] = [new Date(2026, 0, 5, 12).getTime(), new Date(2026, 0, 5).getTime()];
  expect(timeTicks([noon, noon + 60_000]).every((text) => /^\d\d:\d\d$/.test(text))).toBe(true);
  expect(timeTicks([noon, noon + 10_000]).every((text) => /^\d\d:\d\d:\d\d$/.test(text))).toBe(true);
  expect(timeTicks([midnight - 3_600_000, midnight + 3_600_000])).toEqual(["4 Jan, 23:00", "5 Jan, 01:00"]);
});

test("ages are told in one unit", () => {
  const ages = [0, 1_400, 12_000, 61_000, 3_599_000, 3_600_000, 86_400_000 * 3].map((ms) => ago(0, ms));
  expect(ages).toEqual(["now", "now", "12 s ago", "1 min ago", "59 min ago", "1 h ago", "3 d ago"]);
  expect(ago(5_000, 0)).toBe("now");
});

test("a time that is not one is said by silence", () => {
  expect(moment(Number.NaN, 0)).toBe("");
  expect(moment(0, 1_000)).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(moment(0, 86_400_000 * 400)).toMatch(/Jan|Dec/);
});
