import { describe, expect, test } from "vitest";
import { compact } from "../src/format/number";
import { duration } from "../src/format/time";
import { type Loss, ofNewest } from "../src/scenes/loss/losses";
import { byModel, type Prediction } from "../src/scenes/predictions/episodes";
import { sections } from "../src/scenes/profiles/sections";

describe("numbers", () => {
  test("a length of time has a unit that suits it", () => {
    expect([0, 12.4, 59, 90, 5_400, 86_400, 8_640_000].map(duration)).toEqual(["0 s", "12 s", "59 s", "1.5 min", "1.5 h", "1.0 d", "100 d"]);
  });
  test("any number in three digits", () => {
    expect([0.01234, 12.34, 12_340, 1e9].map(compact)).toEqual(["0.0123", "12.3", "12.3K", "1B"]);
  });
});

describe("an envelope", () => {
  test("has its sections in the order in which they happen, whatever the order of the names", () => {
    const budget = { armed: 5, clean_lead: 10, clean_tail: 15, infected_running: 40, infecting: 10 };
    expect(sections(budget).map(({ id, from }) => [id, from])).toEqual([
      ["clean_lead", 0],
      ["armed", 10],
      ["infecting", 15],
      ["infected_running", 25],
      ["clean_tail", 65],
    ]);
  });
  test("has one that this page does not know last, by its name", () => {
    expect(sections({ later: 3, clean_lead: 2 }).map(({ name }) => name)).toEqual(["Clean", "later"]);
  });
});

describe("an episode", () => {
  const window = (window_idx: number, model: string, predicted: Prediction["predicted"], phase?: Prediction["phase"]): Prediction => ({
    type: "prediction",
    seq: window_idx,
    episode_id: "e",
    window_idx,
    model,
    predicted,
    ...(phase === undefined ? {} : { phase }),
  });
  test("is a strip a model, its windows in order, with the share that is right of those that are known", () => {
    const seen = byModel([
      window(2, "knn", "armed", "armed"),
      window(0, "knn", "clean", "clean"),
      window(1, "knn", "clean", "armed"),
      window(3, "knn", "clean"),
      window(0, "gbt", "clean"),
    ]);
    expect(seen.map(({ model, windows, right }) => [model, windows.map(({ window_idx }) => window_idx), right])).toEqual([
      ["gbt", [0], undefined],
      ["knn", [0, 1, 2, 3], 2 / 3],
    ]);
  });
});

describe("a loss curve", () => {
  const losses = (...iterations: number[]) => iterations.map((iteration, seq): Loss => ({ type: "loss", seq, iteration, loss: 1, batch_size: 1 }));
  const shown = (...iterations: number[]) => ofNewest(losses(...iterations)).map(({ iteration }) => iteration);
  test("is of the newest training", () => {
    expect(shown()).toEqual([]);
    expect(shown(3, 4, 9)).toEqual([3, 4, 9]);
    expect(shown(3, 4, 1, 2, 0, 5)).toEqual([0, 5]);
    expect(shown(1, 1)).toEqual([1]);
  });
});
