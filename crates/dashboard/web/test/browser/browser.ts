import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { chromiumArguments, chromiumPath } from "./chromium.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });

/** In a browser whose owner blocks cookies and site data: storage throws, shared workers are refused. */
export async function whereNothingIsKept(visit: (context: BrowserContext) => Promise<void>): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "vitrine-profile-"));
  mkdirSync(join(profile, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { executablePath: chromiumPath, args: chromiumArguments });
  try {
    await visit(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, maxRetries: 20 });
  }
}

export const SCENES = ["embedding", "models", "latency", "detection", "predictions", "profiles", "mix", "fleet", "alerts", "received"];

/** Waits until every scene shows something. */
export async function filled(page: Page, scenes = SCENES): Promise<void> {
  for (const scene of scenes) await page.locator(`.plate-${scene}[data-filled="true"]`).waitFor();
}

export async function phase(page: Page, phase: string): Promise<void> {
  await page.locator(`.connection[data-phase="${phase}"]`).waitFor();
}

/** Violations of accessibility rules, as lines. axe is evaluated by the debugger, which the page's policy does not bind. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run(document);
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ""}`));
  });
}

export interface Seen {
  /** Share of pixels that are not the most frequent one, which is the background. */
  drawn: number;
  /** The ten most frequent colours but the background, most frequent first. */
  colours: string[];
  /** A drawn pixel in the middle of others, CSS pixels from the corner of the canvas. */
  place: { x: number; y: number };
}

/** Waits for the scatter to be at rest and reads its pixels. */
export async function scatter(page: Page): Promise<Seen> {
  await page.waitForTimeout(700);
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".stage canvas");
    if (canvas === null) throw new Error("no canvas");
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    if (copy === null) throw new Error("no context");
    copy.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    const counts = new Map<number, number>();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    const [background, ...colours] = [...counts].sort((a, b) => b[1] - a[1]);
    const isDrawn = (i: number) => pixels[i] !== background?.[0];
    const { width } = canvas;
    let place = { x: 0, y: 0 };
    // From the middle outwards, so that lines at the border are not taken for points.
    const middle = Math.floor(canvas.height / 2) * width;
    for (let i = 0; i < pixels.length; i++) {
      const at = (middle + i) % pixels.length;
      if ([at - 1, at, at + 1, at - width, at + width, at - 2, at + 2].every(isDrawn)) {
        place = { x: (at % width) / devicePixelRatio, y: Math.floor(at / width) / devicePixelRatio };
        break;
      }
    }
    return {
      drawn: 1 - (background?.[1] ?? 0) / pixels.length,
      colours: colours.slice(0, 10).map(([pixel]) => (pixel & 0xffffff).toString(16)),
      place,
    };
  });
}
