// A hub as it is written with Bun: the last event of every key for a page that opens, then what comes.
const last = new Map<string, string>();

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
  async fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/ws") return server.upgrade(request) ? undefined : new Response("", { status: 400 });
    if (pathname !== "/publish") return new Response("", { status: 404 });
    for (const line of (await request.text()).split("\n")) {
      const event = JSON.parse(line);
      last.set(`${event.episode_id}/${event.window_idx}/${event.model}`, line);
      server.publish("wall", line);
    }
    return new Response("{}");
  },
  websocket: {
    perMessageDeflate: false,
    backpressureLimit: 64 << 20,
    open(socket) {
      for (const event of last.values()) socket.send(event);
      socket.send('{"type":"ready"}');
      socket.subscribe("wall");
    },
    message() {},
  },
});
