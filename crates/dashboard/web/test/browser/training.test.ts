import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Broadcaster } from "./broadcaster";
import { filled, launch, violations } from "./browser";

let browser: Browser;
let broadcaster: Broadcaster;
let store: string;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), "vitrine-runs-"));
  broadcaster = await Broadcaster.start("--runs-store", store);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
});
afterEach(async () => {
  await page.close();
  await broadcaster.stop();
  await rm(store, { recursive: true });
  expect(complaints).toEqual([]);
});

const now = () => Date.now() / 1_000;

/** Points of a series: of so many steps, a second each, the last of them so many seconds ago. */
async function points(run: string, metric: string, count: number, value: (step: number) => number, ago = 0): Promise<void> {
  const of = Array.from({ length: count }, (_, i) => [i + 1, value(i + 1), now() - ago - (count - i)]);
  await broadcaster.publish(JSON.stringify({ type: "metric_points", run_id: run, metric, points: of }));
}

async function open(address = ""): Promise<void> {
  await page.goto(broadcaster.url + address);
  await filled(page, ["training"]);
}

const chart = (metric: string): Locator => page.getByRole("region", { name: metric, exact: true });
const charts = () => page.locator(".metric h3").allTextContents();
const runs = () => page.locator(".run");
const choice = (group: string, name: string | RegExp) => page.getByRole("group", { name: group, exact: true }).getByText(name, { exact: true });

/** Goes to the end of a chart by keyboard, and says what is pointed at there. */
async function pointed(metric: string, key = "End"): Promise<string> {
  const plot = chart(metric).getByRole("group");
  await plot.locator("canvas").waitFor();
  await plot.focus();
  await page.keyboard.press(key);
  await chart(metric).locator(".pointed:not(:empty)").waitFor();
  return (await chart(metric).locator(".pointed").textContent()) ?? "";
}

test("runs are over one another, metric by metric, in tabs, and none is hidden", async () => {
  for (const run of ["bold", "calm"]) {
    for (const metric of ["loss", "lr", "moe_balance", "sys.load", "accuracy"]) await points(run, metric, 20, (step) => 1 / step);
  }
  await open();
  expect(await charts()).toEqual(["loss", "lr"]);
  expect(await pointed("loss")).toBe("Step 20 bold 0.05 calm 0.05");
  const tabs = await page.getByRole("group", { name: "Metrics" }).locator("label").allTextContents();
  expect(tabs).toEqual(["Training 2", "Model 1", "System 1", "Checkpoints 0", "Progress 0", "Other 1"]);
  await choice("Metrics", /^Other/).click();
  expect(await charts()).toEqual(["accuracy"]);
  await choice("Metrics", /^Progress/).click();
  await page.getByText(/^No run has a metric that begins with time_to_b1/).waitFor();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await choice("Metrics", /^Training/).click();
    expect(await violations(page)).toEqual([]);
  }
});

test("runs are drawn or not, and say whether points still come", async () => {
  await points("over", "loss", 5, () => 1, 400);
  await points("going", "loss", 5, () => 2, 60);
  await points("going too", "loss", 5, () => 3);
  await open();
  await page.locator(".run", { hasText: "over, over" }).waitFor();
  expect(await runs().allTextContents()).toEqual(["going too, active", "going, active", "over, over"]);
  await page.getByRole("button", { name: "None", exact: true }).click();
  expect(await runs().evaluateAll((all) => all.map((run) => run.ariaPressed))).toEqual(["false", "false", "false"]);
  await page.locator(".run", { hasText: /^going,/ }).click();
  expect(await pointed("loss")).toBe("Step 5 going 2");
  expect(new URL(page.url()).hash).toContain("off=");
  await page.getByRole("button", { name: "All", exact: true }).click();
  expect(await pointed("loss")).toContain("going too 3");
});

test("a run that is pointed at stands out in every chart", async () => {
  for (const run of ["bold", "calm"]) for (const metric of ["loss", "lr"]) await points(run, metric, 10, () => (run === "bold" ? 2 : 1));
  await open();
  await pointed("lr");
  const before = await chart("lr").locator("canvas").screenshot();
  await page.getByRole("button", { name: /^calm/ }).hover();
  await chart("lr").locator(".pointed", { hasText: /calm/ }).waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-label="lr"] .pointed')?.textContent?.includes("bold"));
  await expect.poll(async () => Buffer.compare(before, await chart("lr").locator("canvas").screenshot())).not.toBe(0);
  // And by the pointer, which finds a curve between the points of others.
  await points("between", "loss", 10, () => 5, 30);
  const plot = chart("loss").locator(".u-over");
  await page.locator(".run", { hasText: /^between/ }).waitFor();
  await expect.poll(async () => {
    const { width = 0, height = 0 } = (await plot.boundingBox()) ?? {};
    for (const part of [0.5, 0.51]) await plot.hover({ position: { x: part * width, y: 0.02 * height } });
    return chart("loss").locator(".pointed").textContent();
  }).toMatch(/^Step \d+ between 5$/);
  await page.mouse.move(2, 2);
  await expect.poll(() => chart("loss").locator(".pointed").textContent()).toBe("");
});

test("a run keeps its colour while others come", async () => {
  for (const run of ["b", "c"]) await points(run, "loss", 3, () => 1, 60);
  await open();
  const colours = () => runs().evaluateAll((all) => Object.fromEntries(all.map((run) => [run.textContent?.[0], run.querySelector("svg, .swatch")?.outerHTML])));
  const before = await colours();
  for (const run of ["a", "d", "e"]) await points(run, "loss", 3, () => 1);
  await expect.poll(() => runs().count()).toBe(5);
  expect(await colours()).toMatchObject(before);
});

test("points stand above the step, the time since the start, or the time", async () => {
  await points("a", "loss", 11, (step) => step);
  await open();
  expect(await pointed("loss")).toBe("Step 11 a 11");
  await choice("Above", "Time since its start").click();
  expect(await pointed("loss")).toBe("Time since its start 10 s a 11");
  await choice("Above", "Time").click();
  expect(new URL(page.url()).hash).toContain("across=time");
  expect(await pointed("loss", "Home")).toMatch(/^Time .* a 1$/);
});

test("logarithmic axes say what has no place on them", async () => {
  await points("a", "loss", 10, (step) => step - 3);
  await open();
  await page.getByText("log y").click();
  await chart("loss").getByText("3 points are not above 0 and have no place on a logarithmic axis").waitFor();
  expect(await pointed("loss", "Home")).toBe("Step 4 a 1");
});

test("what is smoothed is calmer, and what was measured is behind it", async () => {
  await points("a", "loss", 40, (step) => step % 2);
  await open();
  expect(await pointed("loss")).toBe("Step 40 a 0");
  await page.getByLabel("Smooth").fill("0.9");
  await page.waitForFunction(() => /a 0\.4\d+$/.test(document.querySelector('[aria-label="loss"] .pointed')?.textContent ?? ""));
  expect(new URL(page.url()).hash).toContain("smooth=0.9");
});

test("a span is drawn as finely as all of it, and goes on", async () => {
  await points("a", "loss", 20_000, (step) => step, 7_200);
  await points("a", "lr", 3, () => 1, 8_000);
  const later = Array.from({ length: 300 }, (_, i) => [20_001 + i, 1, now() - 600 + i]);
  await broadcaster.publish(JSON.stringify({ type: "metric_points", run_id: "a", metric: "loss", points: later }));
  await open();
  const asked = page.waitForResponse((response) => response.url().includes("/metrics/a?metric=loss&from_time="));
  await choice("Since", "1 h").click();
  expect((await asked).status()).toBe(200);
  await page.waitForFunction(() => document.querySelector('[aria-label="loss"] .pointed') !== null);
  expect(await pointed("loss", "Home")).toBe("Step 20,001 a 1");
  // When it came.
  const second = async () => {
    await pointed("loss", "Home");
    await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(50);
    return chart("loss").locator(".pointed").textContent();
  };
  await expect.poll(second).toBe("Step 20,002 a 1");
  await broadcaster.publish(JSON.stringify({ type: "metric_points", run_id: "a", metric: "loss", points: [[20_400, 7, now()]] }));
  await expect.poll(() => pointed("loss")).toBe("Step 20,400 a 7");
  await choice("Since", "All (live)").click();
  expect(await pointed("loss", "Home")).toBe("Step 1 a 1");
});

test("all checkpoints are there, of long series too", async () => {
  await points("a", "checkpoint_loss", 3_000, (step) => step);
  await open();
  const table = page.getByRole("region", { name: "Checkpoints" });
  await page.getByText("and 2,500 before them").waitFor();
  const steps = await table.locator("tbody tr td:nth-child(2)").allTextContents();
  expect(steps).toEqual(Array.from({ length: 500 }, (_, i) => (3_000 - i).toLocaleString("en")));
});

test("what keeps runs from being read is said, while it does", async () => {
  await points("a", "loss", 3, () => 1);
  await open();
  const said = (trouble?: string) => broadcaster.publish(JSON.stringify({ type: "runs_meta", runs_meta: [], trouble }));
  await said("http://clickhouse:8123/lab: Connection refused");
  await page.getByRole("alert").getByText("No news of runs from http://clickhouse:8123/lab: Connection refused").waitFor();
  expect(await violations(page)).toEqual([]);
  await said();
  await page.getByRole("alert").waitFor({ state: "detached" });
});

test("a plain page of another origin reads the stream with EventSource", async () => {
  const html = `<pre></pre><script>
    const source = new EventSource(location.hash.slice(1) + "/stream");
    for (const name of ["snapshot", "delta", "runs_meta"])
      source.addEventListener(name, ({ data }) => document.querySelector("pre").append(name + " " + JSON.stringify(JSON.parse(data).runs ?? "-") + "\\n"));
  </script>`;
  const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end(html));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await broadcaster.stop();
  broadcaster = await Broadcaster.start("--allow-origin", origin);
  const publish = (step: number) =>
    broadcaster.publish(JSON.stringify({ type: "metric_points", run_id: "a", metric: "loss", points: [[step, 0.5, 1_772_000_000]] }));
  await publish(1);
  try {
    await page.goto(`${origin}/#${broadcaster.url}`);
    await page.getByText('snapshot {"a":{"loss":[[1,0.5,1772000000]]}}').waitFor();
    await publish(2);
    await page.getByText('delta {"a":{"loss":[[2,0.5,1772000000]]}}').waitFor();
    await page.getByText("runs_meta").waitFor();
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("checkpoints are a table, milestones are bars", async () => {
  for (const run of ["bold", "calm"]) {
    await points(run, "checkpoint_bytes", 2, (step) => 1_000 * step);
    await points(run, "checkpoint_loss", 2, (step) => 1 / step);
    await points(run, "time_to_3b", 1, () => (run === "bold" ? 40 : 80));
  }
  await open();
  await choice("Metrics", /^Checkpoints/).click();
  const table = page.getByRole("region", { name: "Checkpoints" });
  expect(await table.locator("thead th").allTextContents()).toEqual(["Run", "Step", "At", "bytes", "loss"]);
  expect(await table.locator("tbody tr").count()).toBe(4);
  expect((await table.locator("tbody tr").first().locator("td").allTextContents()).toSpliced(1, 1)).toEqual(["2", "2K", "0.5"]);
  await choice("Metrics", /^Progress/).click();
  const bars = page.getByRole("region", { name: "time_to_3b" });
  expect(await bars.locator(".value").allTextContents()).toEqual(["40", "80"]);
  const widths = await bars.locator(".fill").evaluateAll((fills) => fills.map((fill) => (fill as HTMLElement).style.width));
  expect(widths).toEqual(["50%", "100%"]);
});

test("what one has come closer to stays while points come, at 360 pixels too", async () => {
  await page.setViewportSize({ width: 360, height: 800 });
  await points("a", "loss", 50, (step) => step);
  await open();
  await pointed("loss", "Home");
  await page.keyboard.press("+");
  await chart("loss").getByRole("button", { name: "All of it" }).waitFor();
  const last = await pointed("loss");
  expect(last).not.toBe("Step 50 a 50");
  await broadcaster.publish(JSON.stringify({ type: "metric_points", run_id: "a", metric: "loss", points: [[51, 1, now()]] }));
  await page.locator(".run", { hasText: "a, active" }).waitFor();
  expect(await pointed("loss")).toBe(last);
  await chart("loss").getByRole("button", { name: "All of it" }).click();
  await expect.poll(() => pointed("loss")).toBe("Step 51 a 1");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test("tabs are those that the broadcaster was given", async () => {
  await broadcaster.stop();
  const file = join(store, "tabs.json");
  await writeFile(file, '[{"title":"Answers","prefixes":["acc"]},{"title":"Size","as":"bars","prefixes":["bytes"]}]');
  broadcaster = await Broadcaster.start("--metric-tabs", file);
  for (const metric of ["accuracy", "bytes", "loss"]) await points("a", metric, 3, () => 1);
  await open();
  expect(await page.getByRole("group", { name: "Metrics" }).locator("label").allTextContents()).toEqual(["Answers 1", "Size 1", "Other 1"]);
  expect(await charts()).toEqual(["accuracy"]);
  await choice("Metrics", /^Size/).click();
  await page.getByRole("region", { name: "bytes", exact: true }).locator(".fill").waitFor();
});
