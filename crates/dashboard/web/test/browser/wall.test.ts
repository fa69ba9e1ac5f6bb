import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Broadcaster } from "./broadcaster";
import { filled, launch, phase, SCENES, violations, whereNothingIsKept } from "./browser";
import { publishAll } from "./events";

let browser: Browser;
let broadcaster: Broadcaster;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  [browser, broadcaster] = await Promise.all([launch(), Broadcaster.start()]);
});
afterAll(async () => {
  await browser.close();
  await broadcaster.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
});
afterEach(() => context.close());

describe("before anything was published", () => {
  test("every scene says what would fill it, with the command to type", async () => {
    await page.goto(broadcaster.url);
    await phase(page, "live");
    const commands = await page.locator(".command code").allTextContents();
    expect(commands.map((command) => command.split(" --publish-url")[0])).toEqual([
      "knn stream --load-fit F.parquet",
      "multi-model-metrics --reports DIR",
      "multi-model-metrics --reports DIR",
      "knn detect --model F.fit --follow DIR/live",
      "knn detect --model F.fit --follow DIR/live",
      "profiles produce --data-root DIR",
      "feeders run --data-root DIR",
      "feeders run --data-root DIR",
      "feeders run --data-root DIR",
    ]);
    expect(commands[0]).toContain(`${broadcaster.url}/publish`);
    expect(await violations(page)).toEqual([]);
  });
});

describe("the wall", () => {
  beforeAll(() => publishAll(broadcaster, 2_000));

  test("opens complete, from its own origin alone, within its policy and its number of requests", async () => {
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(broadcaster.url);
    await phase(page, "live");
    await filled(page);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(broadcaster.url))).toEqual([]);
    const files = new Set(requests.filter((url) => !url.includes("/snapshots/")).map((url) => url.split("/").pop()));
    // Four, and the icon of the tab.
    expect([...files].sort()).toEqual(["", "app.css", "app.js", "icon.svg", "worker.js"]);
  });

  test("shows what happens as it happens", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    await broadcaster.publish('{"type":"model_metric","model":"knn","accuracy":0.999}');
    await page.locator(".bars").getByRole("option", { name: /^knn 0\.999/ }).waitFor();
    await broadcaster.publish(
      '{"type":"episode","episode_id":"the-new-one","host_id":"lab-9","sha256":"ab","size_bytes":7,"received_at":"2026-01-01T12:00:00Z"}',
    );
    await page.getByText("the-new-one").waitFor();
    await page.getByRole("option", { name: "lab-9 1 episodes" }).waitFor();
    await broadcaster.publish(
      '{"type":"live_detection","host_id":"lab-9","predicted":"infecting","phase":"armed","confidence":0.75,"model":"knn","at":"2026-01-01T12:00:00Z"}',
    );
    await page.getByRole("option", { name: /^lab-9 Infecting 0\.750 ?, really Armed$/ }).waitFor();
  });

  test("paints a cell a window, its truth below it, and a hole where it is wrong", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    const lane = page.locator(".plate-detection .lane", { hasText: "rack-01" }).locator("canvas");
    await lane.waitFor();
    const cells = await lane.evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
      const at = (cell: number, down: number) => {
        const x = Math.floor(((cell + 0.45) * width) / 60);
        return [...data.subarray(4 * (Math.floor(height * down) * width + x)).subarray(0, 4)].join();
      };
      return Array.from({ length: 60 }, (_, cell) => ({ said: at(cell, 0.06), middle: at(cell, 0.32), was: at(cell, 0.9) }));
    });
    for (const [i, { said, middle, was }] of cells.entries()) {
      expect(said === was, `cell ${i}`).toBe(i % 5 !== 4);
      expect(middle === said, `the hole of cell ${i}`).toBe(i % 5 !== 4);
    }
    expect(new Set(cells.map(({ said }) => said)).size).toBe(5);
  });

  test("finds hosts and episodes by a part of their names", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    await page.getByLabel("Find").fill("EDGE-07");
    await page.getByRole("option", { name: /^rack-01 30 episodes/ }).waitFor({ state: "detached" });
    expect(await page.locator(".hosts [role=option]").count()).toBe(1);
    const hosts = await page.locator(".episodes .host").allTextContents();
    expect(new Set(hosts)).toEqual(new Set(["edge-07"]));
    expect(new URL(page.url()).hash).toContain("find=EDGE-07");
    await page.getByLabel("Find").fill("nobody");
    await page.getByText(/^None of the newest \d+ is found\.$/).waitFor();
  });

  test("opened in the middle of 500 events a second, it is complete when it is live", async () => {
    let publishing = true;
    const flood = (async () => {
      for (let n = 0; publishing; n++) {
        const loss = (i: number) => ({ type: "loss", iteration: n * 5 + i, loss: 1 / (n + 1), batch_size: 32 });
        await broadcaster.publish(JSON.stringify([0, 1, 2, 3, 4].map(loss)));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    try {
      await page.goto(broadcaster.url);
      await phase(page, "live");
      await page.evaluate(() => new Promise(requestAnimationFrame));
      const scenes = await page.locator(".plate").evaluateAll((plates) => plates.map((plate) => (plate as HTMLElement).dataset["filled"]));
      expect(scenes).toEqual(SCENES.map(() => "true"));
    } finally {
      publishing = false;
      await flood;
    }
  });

  test("no event type is invisible", async () => {
    await page.goto(broadcaster.url);
    await page.locator(".plate-received").getByText("phase", { exact: true }).waitFor();
  });

  test("a second tab is complete at once and needs no second connection", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    const second = await context.newPage();
    await second.goto(broadcaster.url);
    await filled(second);
    expect((await broadcaster.get<{ clients: number }>("/healthz")).clients).toBe(1);
  });

  test("a hidden tab draws nothing, tells its state by its title, and is complete when someone looks", async () => {
    // What a browser does with a hidden tab: no frames, and a page can ask.
    await page.addInitScript(() => {
      const draw = requestAnimationFrame.bind(window);
      const held: FrameRequestCallback[] = [];
      let hidden = false;
      const hide = (value: boolean) => {
        hidden = value;
        if (!hidden) held.splice(0).forEach(draw);
      };
      Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
      Object.assign(window, { hide, requestAnimationFrame: (frame: FrameRequestCallback) => (hidden ? held.push(frame) : draw(frame)) });
    });
    await page.goto(broadcaster.url);
    await filled(page);
    await page.waitForTimeout(300);
    await page.evaluate(() => (window as unknown as { hide(hidden: boolean): void }).hide(true));
    // What was on its way to be drawn when it was hidden, the age of the last message for one, is drawn.
    await page.waitForTimeout(300);
    await page.evaluate(() => {
      Object.assign(window, { changes: 0 });
      new MutationObserver((records) => ((window as unknown as { changes: number }).changes += records.length)).observe(document.body, {
        attributes: true,
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
    for (let i = 0; i < 30; i++) {
      await broadcaster.publish(JSON.stringify([{ type: "loss", iteration: i, loss: 1, batch_size: 32 }, { type: "model_metric", model: "mlp", accuracy: i / 100 }]));
    }
    await page.waitForTimeout(1_500);
    const changes = () => page.evaluate(() => (window as unknown as { changes: number }).changes);
    expect(await changes()).toBe(0);
    await broadcaster.stop();
    await expect.poll(() => page.title()).toBe("Reconnecting · Vitrine");
    await broadcaster.restart();
    await publishAll(broadcaster, 2_000);
    await broadcaster.publish('{"type":"model_metric","model":"mlp","accuracy":0.29}');
    await expect.poll(() => page.title()).toBe("Vitrine");
    expect(await changes()).toBe(0);
    await page.evaluate(() => (window as unknown as { hide(hidden: boolean): void }).hide(false));
    await page.locator(".bars").getByRole("option", { name: /^mlp 0\.290/ }).waitFor();
    expect(await changes()).toBeGreaterThan(0);
  });

  test("works where the browser is told to keep nothing of any site", async () => {
    await whereNothingIsKept(async (strict) => {
      const page = await strict.newPage();
      await page.goto(broadcaster.url);
      await phase(page, "live");
      await filled(page);
      await page.getByText("Dark", { exact: true }).click();
      expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    });
  });

  test("a keyboard's place is in sight", async () => {
    const hosts = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`host-${i}`, 80 - i]));
    const snapshot = { type: "snapshot", total_episodes: 3240, total_alerts: 0, total_bytes: 1, host_counts: hosts, recent_episodes: [] };
    await broadcaster.publish(JSON.stringify(snapshot));
    await page.goto(broadcaster.url);
    await page.getByRole("option", { name: /^host-79/ }).waitFor({ state: "attached" });
    await page.locator(".hosts").getByRole("listbox").focus();
    for (const [key, host] of [["End", "host-79"], ["ArrowUp", "host-78"], ["Home", "host-0"]] as const) {
      await page.keyboard.press(key);
      const option = page.getByRole("option", { name: new RegExp(`^${host} `), selected: true });
      await option.waitFor();
      const inSight = await option.evaluate((element) => {
        const [row, list] = [element.getBoundingClientRect(), element.parentElement?.getBoundingClientRect()];
        return list !== undefined && row.top >= list.top - 1 && row.bottom <= list.bottom + 1 && row.bottom <= innerHeight + 1;
      });
      expect(inSight, host).toBe(true);
    }
    await publishAll(broadcaster, 2_000);
  });

  test("survives a reload with nothing empty", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    await page.reload();
    await phase(page, "live");
    await filled(page);
  });

  test("keeps what it knows while the broadcaster is away, says how old it is, and is live again when it is back", async () => {
    await page.goto(broadcaster.url);
    await phase(page, "live");
    await filled(page);
    await broadcaster.stop();
    await phase(page, "reconnecting");
    await filled(page);
    expect(await page.locator(".age").textContent()).toMatch(/showing what was known at \d\d:\d\d:\d\d/);
    expect(await page.locator(".as-of").count()).toBe(SCENES.length);
    expect(await page.title()).toBe("Reconnecting · Vitrine");

    await broadcaster.restart();
    await publishAll(broadcaster, 2_000);
    await phase(page, "live");
    await filled(page);
    await page.reload();
    await phase(page, "live");
    await filled(page);
  });

  test("has no violation of accessibility rules, in either theme, in high contrast, as tables and enlarged", async () => {
    const views = ["", "#table=embedding,models,latency,detection,predictions,profiles,mix,fleet,alerts", "#contrast=more", "#scene=embedding&colour=verdict", "#model=knn&host=rack-01", "#host=rack-02&profile=idle&find=e"];
    for (const theme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const view of views) {
        await page.goto("about:blank");
        await page.goto(`${broadcaster.url}/${view}`);
        await page.locator('[data-filled="true"]').first().waitFor();
        await page.locator(".legend, .pager").first().waitFor();
        expect(await violations(page), `${theme} ${view}`).toEqual([]);
      }
    }
  });

  test("fits 360 px and a projector without a sideways scroll", async () => {
    for (const [width, height] of [[360, 740], [768, 1024], [1920, 1080], [3840, 2160]] as const) {
      await page.setViewportSize({ width, height });
      await page.goto(broadcaster.url);
      await filled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBeLessThanOrEqual(width);
    }
  });

  test("what one looks at is in the address, and an address shows it", async () => {
    await page.goto(broadcaster.url);
    await filled(page);
    await page.locator(".plate-models").getByRole("listbox").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.locator(".plate-fleet").getByRole("button", { name: "Table" }).click();
    await page.getByText("Dark", { exact: true }).click();
    const { hash } = new URL(page.url());
    expect(hash).toMatch(/model=\w+/);
    expect(hash).toContain("table=fleet");
    expect(hash).toContain("theme=dark");

    const other = await browser.newPage();
    await other.goto(broadcaster.url + "/" + hash);
    await filled(other);
    expect(await other.locator(".plate-models [aria-selected=true]").count()).toBe(1);
    expect(await other.locator(".plate-fleet table").count()).toBe(1);
    expect(await other.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    await other.close();
  });
});
