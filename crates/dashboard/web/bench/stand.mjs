import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const mediaTypes = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** Serves the built page with one embedding of `n` points, over server-sent events, as a broadcaster would. Nothing to build. */
export function stand(n) {
  const packed = points(n);
  const events = [
    { type: "hello", epoch: "bench", seq: 1, resumed: false, protocol: 1 },
    { seq: 1, type: "embedding_snapshot", fit_id: `bench-${n}`, rows: n, url: `/snapshots/${n}`, projector: "lda" },
    { type: "ready", seq: 1 },
  ];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://stand");
    const name = pathname === "/" ? "index.html" : /^\/assets\/\w+\/([\w.]+)$/.exec(pathname)?.[1];
    if (name !== undefined) {
      response.writeHead(200, { "content-type": mediaTypes[name.split(".").pop()] });
      response.end(readFileSync(dist + name));
    } else if (pathname === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
    } else if (pathname.startsWith("/snapshots/")) {
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": packed.byteLength });
      response.end(packed);
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve({ url: `http://127.0.0.1:${server.address().port}`, server }));
  });
}

/** Eight overlapping clouds in host order, some wide and some narrow, the same every time. */
function points(n) {
  const buffer = Buffer.alloc(n * 9);
  let seed = 1;
  const chance = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const bell = () => (chance() + chance() + chance() + chance() - 2) / 2;
  for (let i = 0; i < n; i++) {
    const cloud = Math.floor((i * 8) / n);
    for (let axis = 0; axis < 3; axis++) {
      const place = 0.5 + 0.3 * Math.sin(cloud * 7 + axis * 3) + (0.06 + 0.04 * cloud) * bell();
      buffer.writeUInt16LE(Math.round(Math.max(0, Math.min(1, place)) * 65535), 2 * (axis * n + i));
    }
    buffer[6 * n + i] = cloud % 5;
    buffer[7 * n + i] = chance() < 0.8 ? cloud % 5 : Math.floor(chance() * 5);
    buffer[8 * n + i] = cloud;
  }
  return buffer;
}
