import type { Connection, Listener, World } from "./link";

/** The real world. `root` is the address of the page. */
export function world(root: URL): World {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    connect: (transport, query, listener) =>
      transport === "websocket" ? webSocket(root, query, listener) : serverSentEvents(root, query, listener),
    async probe() {
      const response = await fetch(new URL("healthz", root), { cache: "no-store", signal: AbortSignal.timeout(5_000) });
      if (!response.ok) throw new Error(`healthz: ${response.status}`);
      return response.json();
    },
  };
}

function webSocket(root: URL, query: string, listener: Listener): Connection {
  const url = new URL(`ws?${query}`, root);
  url.protocol = root.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => listener.frame(data);
  socket.onclose = () => listener.closed();
  return { close: () => socket.close() };
}

/** The browser's own reconnecting is not used: there is one way to wait and resume, the link's. */
function serverSentEvents(root: URL, query: string, listener: Listener): Connection {
  const source = new EventSource(new URL(`events?${query}`, root));
  source.onmessage = ({ data }) => listener.frame(data);
  source.onerror = () => {
    source.close();
    listener.closed();
  };
  return { close: () => source.close() };
}
