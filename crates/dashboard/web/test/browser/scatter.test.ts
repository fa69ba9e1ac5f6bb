import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Broadcaster } from "./broadcaster";
import { filled, launch, phase, scatter } from "./browser";
import { embedding } from "./embedding.mjs";
import { publishAll } from "./events";

let browser: Browser;
let broadcaster: Broadcaster;
let page: Page;

beforeAll(async () => {
  [browser, broadcaster] = await Promise.all([launch(), Broadcaster.start()]);
});
afterAll(async () => {
  await browser.close();
  await broadcaster.stop();
});
afterEach(() => page.close());

async function open(hash = ""): Promise<string[]> {
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const fetched: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/snapshots/")) fetched.push(request.url());
  });
  await page.goto(`${broadcaster.url}/${hash}`);
  await filled(page, ["embedding"]);
  await page.locator(".legend, .pager").waitFor();
  return fetched;
}

describe.each([2_000, 100_000, 1_000_000])("the scatter of %i points", (points) => {
  beforeAll(() => publishAll(broadcaster, points));

  test("draws them and counts them", async () => {
    await open();
    const { drawn, colours } = await scatter(page);
    expect(drawn).toBeGreaterThan(0.02);
    expect(colours.length).toBeGreaterThan(4);
    expect(await page.locator(".progress").count()).toBe(0);
    const counts = await page.locator(".legend .value").allTextContents();
    expect(counts.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0)).toBe(points);
  });

  test("recolours without fetching them again", async () => {
    const fetched = await open();
    const seen = [await scatter(page)];
    for (const name of ["Predicted", "Cluster", "Right or wrong"]) {
      await page.getByText(name, { exact: true }).click();
      seen.push(await scatter(page));
    }
    expect(new Set(seen.map(({ colours }) => colours.join())).size).toBe(4);
    expect(fetched.length).toBeLessThanOrEqual(1);
    expect(page.url()).toContain("colour=verdict");
    expect(await page.locator(".legend .name").allTextContents()).toEqual(["Right", "Wrong"]);
  });

  test("tells what is under the pointer", async () => {
    await open();
    const { place } = await scatter(page);
    const box = await page.locator(".stage canvas").boundingBox();
    await page.mouse.move((box?.x ?? 0) + place.x, (box?.y ?? 0) + place.y);
    const tip = page.locator(".tip:not([hidden])");
    await tip.waitFor();
    expect(await tip.textContent()).toMatch(/Phase.+Predicted.+Cluster\d+Row \d+/);
    await page.mouse.move(5, 5);
    await tip.waitFor({ state: "detached" });
  });

  test("turns by drag and by keys, and the address says from where one looks", async () => {
    await open();
    const before = await scatter(page);
    const box = await page.locator(".stage canvas").boundingBox();
    const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 200];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 120, y + 30, { steps: 5 });
    await page.mouse.up();
    expect((await scatter(page)).colours).not.toEqual(before.colours);
    expect(page.url()).toMatch(/camera=16,32,1/);
    await page.locator(".stage").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("+");
    await scatter(page);
    expect(page.url()).toMatch(/camera=10,32,1\.15/);
  });

  test("goes from point to point by keys", async () => {
    await open();
    await scatter(page);
    await page.locator(".stage").focus();
    await page.keyboard.press("Shift+ArrowRight");
    const tip = page.locator(".tip:not([hidden])");
    await tip.waitFor();
    const first = await tip.textContent();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(() => tip.textContent()).not.toBe(first);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toMatch(/camera=-32,20,2\.5,0\.\d+/);
    await page.keyboard.press("0");
    await expect.poll(() => page.url()).toMatch(/camera=-32,20,1(&|$)/);
  });

  test("lets one category stand out", async () => {
    await open();
    const all = await scatter(page);
    await page.locator(".legend button").first().click();
    const one = await scatter(page);
    expect(one.colours).not.toEqual(all.colours);
    expect(page.url()).toContain("only=0");
  });

  test("has a table behind it: phase against prediction, and every row", async () => {
    await open("#table=embedding");
    await page.getByText(`of ${points.toLocaleString("en")}`).waitFor();
    const right = await page.locator(".tables tbody").first().locator("td").allTextContents();
    const sum = right.filter((text) => !text.includes("%")).reduce((total, text) => total + Number(text.replaceAll(",", "")), 0);
    expect(sum).toBe(points);
    await page.getByRole("button", { name: "After" }).click();
    await page.getByText(`101 to 200 of ${points.toLocaleString("en")}`).waitFor();
    await page.getByRole("row", { name: /^100 Clean/ }).waitFor();
  });
});

test("looks from where the address says, also when it is changed, and writes down where an orbit ended", async () => {
  await publishAll(broadcaster, 2_000);
  await open("#view=fleet&camera=16,32,1");
  const before = await scatter(page);
  const go = (hash: string) => page.evaluate((to) => void (location.hash = to), hash);
  await go("view=fleet&camera=100,0,2");
  const after = await scatter(page);
  expect(after.place).not.toEqual(before.place);
  await go("view=fleet&camera=16,32,1");
  expect((await scatter(page)).place).toEqual(before.place);

  await page.getByRole("button", { name: "Orbit" }).click();
  await page.waitForTimeout(500);
  await page.getByRole("button", { name: "Orbit" }).click();
  await expect.poll(() => page.url()).toMatch(/#view=fleet&camera=(1[7-9]|[2-9]\d),32,1/);
  expect(page.url()).not.toContain("orbit");
});

test("where no WebSocket can be had, the points come over server-sent events", async () => {
  await broadcaster.publish(embedding(700), "application/vnd.apache.arrow.stream");
  page = await browser.newPage();
  await page.routeWebSocket(/./, (socket) => socket.close());
  await page.goto(broadcaster.url);
  await phase(page, "live");
  await page.getByText("700 points").waitFor();
  expect((await scatter(page)).drawn).toBeGreaterThan(0.005);
});
