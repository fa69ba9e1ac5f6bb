// From a line of telemetry to its cell on the wall: hosts that are simulated write recorded telemetry into a folder at
// its own pace, `knn detect` follows it, and a page in Chromium says when each window's cell is painted, counted from the window's
// end. Prints JSON.
//
//     node bench/live.mjs BINARIES MODEL DATA_ROOT HOSTS SECONDS [--page]
import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromiumArguments, chromiumPath } from "../test/browser/chromium.mjs";

const [binaries, model, root, hosts, seconds, page] = process.argv.slice(2);
const WINDOW_S = 5;
const HOP_S = 1;

/** Lines of an episode with when each is written, ms from its beginning, as a recorder writes them. */
function episode(tarball) {
  const file = (name) => execFileSync("sh", ["-c", `zstd -dc "$0" | tar -xO ${name}`, tarball], { maxBuffer: 1 << 28 }).toString().trim().split("\n");
  const at = (line) => JSON.parse(line).t_mono_ns / 1e6;
  const labels = file("labels.jsonl").map((line) => ({ at: at(line), label: JSON.parse(line) }));
  const samples = file("telemetry-proc.jsonl").map((line) => ({ at: at(line), line }));
  return [...labels, ...samples].sort((a, b) => a.at - b.at);
}

const episodes = readdirSync(join(root, "episodes")).flatMap((host) =>
  readdirSync(join(root, "episodes", host)).map((name) => episode(join(root, "episodes", host, name))),
);
const work = mkdtempSync(join(tmpdir(), "vitrine-live-"));
const live = join(work, "live");
mkdirSync(live);

const wall = spawn(join(binaries, "broadcaster"), ["serve", "--no-state", "--listen", "127.0.0.1:0"]);
const url = await new Promise((resolve) => {
  let said = "";
  wall.stderr.on("data", (data) => {
    said += data;
    const address = said.match(/http:\/\/[0-9.:]+/);
    if (address) resolve(address[0]);
  });
});
const detect = spawn(join(binaries, "knn"), ["detect", "--model", model, "--follow", live, "--publish-url", `${url}/publish`], { stdio: ["ignore", "ignore", "inherit"] });

/** Runs in the page: notes when a lane shows another window, once it is painted. */
function watch() {
  window.painted = [];
  const look = (changes) => {
    const seen = changes.map(({ target }) => [target.querySelector(".name").textContent, Number(target.dataset.window)]);
    requestAnimationFrame(() => setTimeout(() => seen.forEach((one) => window.painted.push([...one, Date.now()]))));
  };
  const begin = () => new MutationObserver(look).observe(document.body, { subtree: true, attributeFilter: ["data-window"] });
  document.body ? begin() : addEventListener("DOMContentLoaded", begin);
}

const browser = page === "--page" ? await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments }) : undefined;
const tab = await browser?.newPage({ viewport: { width: 1600, height: 900 } });
await tab?.addInitScript(watch);
await tab?.goto(`${url}/#scene=detection`);
await new Promise((resolve) => setTimeout(resolve, 1_000));

const processorMs = (pid) => {
  const threads = readdirSync(`/proc/${pid}/task`).map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`).toString().split(" ")[0]));
  return threads.reduce((sum, one) => sum + one, 0) / 1e6;
};

// Each begins a little after the one before, so that their windows do not end together.
const start = Date.now() + 100;
const writers = Array.from({ length: Number(hosts) }, (_, n) => ({
  name: `host-${String(n).padStart(3, "0")}`,
  begin: start + (1_000 * n) / Number(hosts),
  lines: episodes[n % episodes.length],
  next: 0,
  file: openSync(join(live, `host-${String(n).padStart(3, "0")}.jsonl`), "a"),
}));
let expected = 0;
const before = processorMs(detect.pid);
while (Date.now() < start + 1_000 * Number(seconds)) {
  for (const writer of writers) {
    const { begin, lines, name, file } = writer;
    let text = "";
    while (writer.next < lines.length && begin + lines[writer.next].at <= Date.now()) {
      const { line, label } = lines[writer.next++];
      text += `${line ?? JSON.stringify({ ...label, episode_id: `${name}-1` })}\n`;
    }
    if (text !== "") writeSync(file, text);
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
const took = Date.now() - start;
const busy = (processorMs(detect.pid) - before) / took;
for (const { name, lines, next, file } of writers) {
  const last = lines.slice(0, next).findLast(({ line }) => line !== undefined)?.at ?? 0;
  expected += Math.max(0, Math.floor((last / 1_000 - WINDOW_S) / HOP_S) + 1);
  closeSync(file);
  unlinkSync(join(live, `${name}.jsonl`));
}
await new Promise((resolve) => setTimeout(resolve, 2_000));
const metrics = await (await fetch(`${url}/metrics`)).text();
const published = Number(metrics.match(/_events_total\{type="prediction",outcome="applied"\} (\d+)/)?.[1] ?? 0);
const painted = (await tab?.evaluate(() => window.painted)) ?? [];
const late = painted
  .map(([host, window, at]) => at - (writers.find(({ name }) => name === host).begin + 1_000 * (WINDOW_S + HOP_S * window)))
  .sort((a, b) => a - b);
const at = (share) => late[Math.min(late.length - 1, Math.floor(share * late.length))];
await browser?.close();
for (const process of [detect, wall]) process.kill("SIGINT");
rmSync(work, { recursive: true });
console.log(
  JSON.stringify({ hosts: Number(hosts), seconds: took / 1_000, expected, published, detect_busy: busy, painted: late.length, median_ms: at(0.5), p99_ms: at(0.99), worst_ms: late.at(-1) }),
);
