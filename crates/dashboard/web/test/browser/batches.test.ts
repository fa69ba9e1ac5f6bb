import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Broadcaster } from "./broadcaster";
import { filled, launch, phase, violations } from "./browser";

let browser: Browser;
let broadcaster: Broadcaster;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  broadcaster = await Broadcaster.start();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
});
afterEach(async () => {
  await page.close();
  await broadcaster.stop();
  expect(complaints).toEqual([]);
});

/** A grey PNG of one pixel. */
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==";

/** What a trainer says of an iteration. Every fourth sample is told wrongly. */
async function update(iteration: number, samples: number, from = 0): Promise<void> {
  const answer = await fetch(`${broadcaster.url}/rpc/batch_update`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      iteration,
      loss: 1 / iteration,
      batch_size: samples,
      samples: Array.from({ length: samples }, (_, i) => ({
        sample_id: `s${from + i}`,
        prediction: (from + i) % 4 === 3 ? "dog" : "cat",
        ground_truth: "cat",
        confidence: 0.75,
        image_b64: PIXEL,
      })),
    }),
  });
  expect(await answer.json()).toMatchObject({ status: "ok" });
}

const pictures = () =>
  page.locator(".tile img").evaluateAll((images) => images.filter((image) => (image as HTMLImageElement).naturalWidth === 1).length);
const badge = (text: string) => page.locator(".badge", { hasText: new RegExp(`^${text}$`) }).waitFor();

describe("mini-batches", () => {
  test("are what opens where nothing else is, and gather until a set is whole", async () => {
    await update(1, 5);
    await page.goto(broadcaster.url);
    await filled(page, ["samples", "loss"]);
    await badge("aggregating 5/16");
    expect([await page.locator(".tile").count(), await pictures()]).toEqual([16, 5]);
    await update(2, 11, 5);
    await badge("ready 16/16");
    expect(await pictures()).toBe(16);
    expect(await page.locator(".answer[data-right=false]").allTextContents()).toEqual(Array(4).fill("✗dogis cat75 %"));
    expect(await page.locator(".answer[data-right=true]").first().textContent()).toBe("✓catright75 %");
    // The next one gathers; what is whole stays until that is.
    await update(3, 2, 16);
    await badge("aggregating 2/16");
    expect(await pictures()).toBe(16);
    await page.getByText("iteration 2, 12 of 16 right").waitFor();
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      expect(await violations(page)).toEqual([]);
    }
  });

  test("stand still while they are paused, and are the newest at once after that", async () => {
    await update(1, 16);
    await page.goto(broadcaster.url);
    await page.getByText("iteration 1,").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    for (let iteration = 2; iteration <= 6; iteration++) await update(iteration, 16, iteration);
    await page.waitForTimeout(300);
    await page.getByText("iteration 1,").waitFor();
    expect(await page.locator(".rate").textContent()).toBe("paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("iteration 6,").waitFor();
    await update(7, 16);
    await page.getByText("iteration 7,").waitFor();
    await page.getByText(/^0\.[1-9] FPS$/).waitFor();
  });

  test("can be gone through by keyboard, and read as a table", async () => {
    await update(1, 16);
    await page.goto(broadcaster.url);
    await page.getByRole("listbox", { name: "Predictions" }).focus();
    await page.keyboard.press("End");
    expect(await page.locator(".tile[data-chosen=true] img").getAttribute("alt")).toBe("Sample s15");
    await page.getByRole("button", { name: "Table of Mini-batch" }).click();
    expect(await page.locator(".plate-samples tbody tr").count()).toBe(16);
  });
});

describe("the loss", () => {
  const seen = () => page.locator(".plot").evaluate((plot) => plot.querySelector<HTMLElement>(".u-axis")?.style.width ?? "");

  test("is a curve that one can come closer to, and that stays so while it goes on", async () => {
    for (let iteration = 1; iteration <= 40; iteration++) await update(iteration, 1);
    await page.goto(broadcaster.url);
    const plot = page.getByRole("group", { name: /^Loss by iteration/ });
    await plot.locator("canvas").waitFor();
    expect(await seen()).not.toBe("");
    await plot.focus();
    await page.keyboard.press("Home");
    await page.locator(".pointed", { hasText: "Iteration 1 Loss 1" }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.locator(".pointed", { hasText: "Iteration 2 Loss 0.5" }).waitFor();
    await page.keyboard.press("+");
    const all = page.getByRole("button", { name: "All of it" });
    await all.waitFor();
    await page.locator(".pointed", { hasText: "Iteration 2 Loss 0.5" }).waitFor();
    const before = await plot.locator("canvas").screenshot();
    await update(41, 1);
    await page.waitForTimeout(200);
    expect(Buffer.compare(before, await plot.locator("canvas").screenshot())).toBe(0);
    await all.click();
    await all.waitFor({ state: "detached" });
    await page.keyboard.press("Tab");
    await plot.focus();
    await page.keyboard.press("End");
    await page.locator(".pointed", { hasText: "Iteration 41 Loss" }).waitFor();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2);
    await page.mouse.up();
    await all.waitFor();
    await page.mouse.dblclick(box.x + box.width * 0.5, box.y + box.height / 2);
    await all.waitFor({ state: "detached" });
  });
});

test("a wall of both is chosen from, and the address says which", async () => {
  await update(1, 16);
  await page.goto(broadcaster.url);
  await filled(page, ["samples"]);
  expect(await page.locator(".views label").count()).toBe(0);
  await broadcaster.publish('{"type":"metric_points","run_id":"a","metric":"loss","points":[[1,0.5,1772000000]]}');
  await page.getByText("Training", { exact: true }).click();
  await filled(page, ["training"]);
  expect(new URL(page.url()).hash).toBe("#view=runs");
  await broadcaster.publish('{"type":"model_metric","model":"knn","accuracy":0.9}');
  await page.goto("about:blank");
  await page.goto(broadcaster.url);
  await phase(page, "live");
  await page.locator(".plate-models[data-filled=true]").waitFor();
  await page.getByText("Mini-batches", { exact: true }).click();
  await filled(page, ["samples", "loss"]);
  expect(new URL(page.url()).hash).toBe("#view=batches");
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});
