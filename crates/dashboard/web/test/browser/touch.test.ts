import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Broadcaster } from "./broadcaster";
import { filled, launch, scatter } from "./browser";
import { publishAll } from "./events";

let browser: Browser;
let broadcaster: Broadcaster;
let page: Page;
let phone: CDPSession;

beforeAll(async () => {
  [browser, broadcaster] = await Promise.all([launch(), Broadcaster.start()]);
  await publishAll(broadcaster, 2_000);
  page = await browser.newPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  phone = await page.context().newCDPSession(page);
  await page.goto(broadcaster.url);
  await filled(page);
});
afterAll(async () => {
  await browser.close();
  await broadcaster.stop();
});

const tip = () => page.locator(".tip:not([hidden])");

const touch = (type: "touchStart" | "touchMove" | "touchEnd", at?: { x: number; y: number }) =>
  phone.send("Input.dispatchTouchEvent", { type, touchPoints: at === undefined ? [] : [at] });

/** A place on the screen where a point is drawn. */
async function target(): Promise<{ x: number; y: number }> {
  const { place } = await scatter(page);
  const box = await page.locator(".stage canvas").boundingBox();
  return { x: (box?.x ?? 0) + place.x, y: (box?.y ?? 0) + place.y };
}

test("a tap says what is there", async () => {
  const { x, y } = await target();
  await page.touchscreen.tap(x, y);
  await tip().getByText(/^Row \d+$/).waitFor();
  await page.waitForTimeout(300);
  expect(await tip().count()).toBe(1);
  await page.touchscreen.tap(30, (await page.locator(".stage canvas").boundingBox())!.y + 30);
  await tip().waitFor({ state: "detached" });
});

test("scrolling past is no tap, and turns nothing", async () => {
  const { x, y } = await target();
  await touch("touchStart", { x, y });
  for (let step = 1; step <= 20; step++) {
    await touch("touchMove", { x, y: y - 8 * step });
    await page.waitForTimeout(16);
  }
  await touch("touchEnd");
  await page.waitForTimeout(600);
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(50);
  expect(await tip().count()).toBe(0);
  expect(page.url()).not.toContain("camera=");
});

test("a finger that turns the points is no tap", async () => {
  await page.evaluate(() => scrollTo(0, 0));
  const { x, y } = await target();
  await touch("touchStart", { x, y });
  for (let step = 1; step <= 20; step++) {
    await touch("touchMove", { x: x - 4 * step, y });
    await page.waitForTimeout(16);
  }
  for (let step = 20; step >= 1; step--) await touch("touchMove", { x: x - 4 * step, y });
  await touch("touchEnd");
  await expect.poll(() => page.url()).toContain("camera=");
  expect(await tip().count()).toBe(0);
});
