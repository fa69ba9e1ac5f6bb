// How long a frame takes while the embedding of a wall orbits, in Chromium without a GPU. It publishes its own points there.
//
//     node bench/orbit.mjs http://127.0.0.1:8447 [points ...]
import { stdout } from "node:process";
import { chromium } from "playwright-core";
import { chromiumArguments, chromiumPath } from "../test/browser/chromium.mjs";
import { embedding } from "../test/browser/embedding.mjs";

const [url = "http://127.0.0.1:8447", ...points] = process.argv.slice(2);
const sizes = points.length > 0 ? points.map(Number) : [2_000, 100_000, 1_000_000];
const SECONDS = 8;
const viewport = { width: 1280, height: 800 };

const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
stdout.write(`Chromium ${browser.version()}, ${viewport.width} x ${viewport.height}, ${SECONDS} s of orbit, ms as median / 95th percentile\n`);
stdout.write("   points    frame to frame    drawing a frame    shown while turning    at rest, all of them\n");
for (const n of sizes) {
  const answer = await fetch(`${url}/publish`, {
    method: "POST",
    headers: { "content-type": "application/vnd.apache.arrow.stream" },
    body: embedding(n),
  });
  if (!answer.ok) throw new Error(`publish: ${answer.status} ${await answer.text()}`);
  const page = await browser.newPage({ viewport });
  await page.goto(`${url}/#scene=embedding&orbit=on`);
  await page.getByText(`${n.toLocaleString("en")} points`).waitFor({ timeout: 60_000 });
  await page.waitForTimeout(1_500);
  const frames = await page.evaluate(
    (ms) =>
      new Promise((resolve) => {
        const seen = [];
        const canvas = document.querySelector(".stage canvas");
        canvas.addEventListener("drawn", ({ detail }) => seen.push({ at: performance.now(), ...detail }));
        setTimeout(() => resolve(seen), ms);
      }),
    SECONDS * 1_000,
  );
  const rest = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let last;
        document.querySelector(".stage canvas").addEventListener("drawn", ({ detail }) => {
          last = detail.ms;
        });
        location.hash = "scene=embedding";
        setTimeout(() => resolve(last), 1_500);
      }),
  );
  const intervals = frames.slice(1).map((frame, i) => frame.at - frames[i].at);
  const shown = (100 * quantile(frames.map((frame) => frame.points), 0.5)) / n;
  const two = (values) => `${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.95).toFixed(1)}`;
  stdout.write(
    `${n.toLocaleString("en").padStart(9)} ${two(intervals).padStart(17)} ${two(frames.map((frame) => frame.ms)).padStart(18)} ` +
      `${`${shown.toFixed(0)} %`.padStart(22)} ${rest.toFixed(1).padStart(23)}\n`,
  );
  await page.close();
}
await browser.close();

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
