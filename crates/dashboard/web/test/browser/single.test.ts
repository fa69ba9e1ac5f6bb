import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { retention } from "../../src/generated/events";
import { Broadcaster } from "./broadcaster";
import { filled, launch, scatter } from "./browser";
import { embedding } from "./embedding.mjs";

const RING = retention.embedding?.perGroup ?? 0;

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
beforeEach(async () => {
  await broadcaster.restart();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
});
afterEach(() => page.close());

/** A point on a grid in the plane through the middle, on a host of its own. */
const point = (i: number) => ({
  type: "embedding",
  x: (i % 71) / 71,
  y: (Math.floor(i / 71) % 71) / 71,
  z: 0.5,
  phase: "armed",
  predicted: "clean",
  cluster: 3,
  host_id: `host-${i}`,
});
const publish = (from: number, to: number) =>
  broadcaster.publish(JSON.stringify(Array.from({ length: to - from }, (_, i) => point(from + i))));
const snapshot = (points: number) => broadcaster.publish(embedding(points), "application/vnd.apache.arrow.stream");
const shown = (points: number) => expect.poll(() => page.locator(".hint").textContent()).toContain(`${points.toLocaleString("en")} points`);
const tip = () => page.locator(".tip:not([hidden])");

async function pointAt({ x, y }: { x: number; y: number }): Promise<void> {
  const box = await page.locator(".stage canvas").boundingBox();
  await page.mouse.move((box?.x ?? 0) + x, (box?.y ?? 0) + y);
}

test("single points are shown as they come, and a snapshot replaces them and what was said of them", async () => {
  await publish(0, 300);
  await page.goto(broadcaster.url);
  await filled(page, ["embedding"]);
  await shown(300);
  await publish(300, 301);
  await shown(301);
  await pointAt((await scatter(page)).place);
  await tip().getByText(/^host-\d+$/).waitFor();
  await snapshot(500);
  await shown(500);
  await tip().waitFor({ state: "detached" });
});

test("what is said of a point stays true while a full ring moves on, and goes when the point goes", async () => {
  await publish(0, RING);
  await page.goto(broadcaster.url);
  await shown(RING);
  await page.locator(".stage").focus();
  await scatter(page);
  await page.keyboard.press("Shift+ArrowRight");
  await tip().waitFor();
  const said = await tip().textContent();
  const host = Number(/host-(\d+)/.exec(said ?? "")?.[1]);
  await publish(RING, RING + 100);
  await expect.poll(() => page.locator(".legend .value").allTextContents()).toEqual([RING.toLocaleString("en")]);
  await scatter(page);
  expect(await tip().textContent()).toBe(said);
  // A step goes on from there.
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(() => tip().textContent()).not.toBe(said);
  const next = Number(/host-(\d+)/.exec((await tip().textContent()) ?? "")?.[1]);
  expect(Math.abs((next % 71) - (host % 71))).toBeLessThan(6);
  await publish(RING + 100, 2 * RING + 100);
  await tip().waitFor({ state: "detached" });
});

test("a picture at rest stays at rest while points come one by one", async () => {
  await snapshot(100_000);
  await page.goto(broadcaster.url);
  await shown(100_000);
  await scatter(page);
  await page.evaluate(() => {
    const frames: number[] = [];
    Object.assign(window, { frames });
    document.querySelector(".stage canvas")?.addEventListener("drawn", (event) => frames.push((event as CustomEvent<{ points: number }>).detail.points));
  });
  for (let i = 0; i < 20; i++) await publish(i, i + 1);
  await shown(100_020);
  const frames = await page.evaluate(() => (window as unknown as { frames: number[] }).frames);
  expect(frames.length).toBeGreaterThan(0);
  expect(Math.min(...frames)).toBeGreaterThanOrEqual(100_000);
});

test("a snapshot that can't be fetched is said to be missing until it is fetched, with nobody's help", async () => {
  await publish(0, 3);
  await page.goto(broadcaster.url);
  await shown(3);
  await page.route("**/snapshots/**", (route) => route.abort());
  await snapshot(400);
  const notice = page.locator(".progress").getByText("cannot be shown yet");
  await notice.waitFor();
  await publish(3, 8);
  await shown(5);
  expect(await notice.count()).toBe(1);
  await page.unroute("**/snapshots/**");
  await shown(405);
  await notice.waitFor({ state: "detached" });
});
