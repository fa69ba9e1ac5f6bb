// How long a person waits for a whole page: opens a wall that is already full, again and again, each
// time in a new browser profile, while 500 events/s arrive; from navigation to scenes filled and points drawn.
//
//     node bench/open.mjs http://127.0.0.1:8447 [opens]
import { chromium } from "playwright-core";
import { chromiumArguments, chromiumPath } from "../test/browser/chromium.mjs";

const [url = "http://127.0.0.1:8447", opens = "20"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });

let flooding = true;
const flood = (async () => {
  for (let iteration = 0; flooding; iteration += 5) {
    const events = Array.from({ length: 5 }, (_, i) => ({ type: "loss", iteration: iteration + i, loss: 0.5, batch_size: 32 }));
    const answer = await fetch(`${url}/publish`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(events),
    });
    if (!answer.ok) throw new Error(`publish: ${answer.status} ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
})();

/** Runs in the page: notes when every scene has its state and when points are on the canvas. */
function watch() {
  const look = () => {
    const plates = [...document.querySelectorAll(".plate")];
    if (plates.length > 0 && plates.every((plate) => plate.dataset.filled === "true")) window.filledAt ??= performance.now();
    const canvas = document.querySelector(".stage canvas");
    if (canvas && !canvas.watched) {
      canvas.watched = true;
      canvas.addEventListener("drawn", ({ detail }) => detail.points > 0 && (window.drawnAt ??= performance.now()));
    }
    if (window.filledAt === undefined || window.drawnAt === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const filled = [];
const drawn = [];
for (let n = 0; n < Number(opens); n++) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(url);
  await page.waitForFunction(() => window.filledAt !== undefined && window.drawnAt !== undefined);
  filled.push(await page.evaluate(() => window.filledAt));
  drawn.push(await page.evaluate(() => window.drawnAt));
  await context.close();
}
flooding = false;
await flood;
await browser.close();

const say = (name, times) => {
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))]);
  console.log(`${name.padEnd(16)} median ${at(0.5)} ms   p95 ${at(0.95)} ms   worst ${Math.round(times.at(-1))} ms`);
};
console.log(`${opens} opens during 500 events/s, from navigation:`);
say("scenes filled", filled);
say("points drawn", drawn);
