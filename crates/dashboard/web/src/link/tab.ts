import type { News, Word } from "./relay";

/**
 * Joins this tab to the browser's link. What it hears goes to `hear`, in order. Where there is no worker for all tabs, or a site that may
 * keep nothing is refused one, the tab has a link of its own.
 */
export function joinLink(hear: (news: News) => void): void {
  let port: MessagePort | Worker;
  const say = (word: Word) => port.postMessage(word);
  const listen = (to: MessagePort | Worker) => {
    port = to;
    port.onmessage = ({ data }: MessageEvent<News>) => hear(data);
  };
  const alone = () => listen(new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name: "link" }));
  const join = () => {
    try {
      const shared = new SharedWorker(new URL("../worker.ts", import.meta.url), { type: "module", name: "link" });
      const refused = () => {
        shared.port.close();
        alone();
      };
      shared.addEventListener("error", refused, { once: true });
      listen(shared.port);
    } catch {
      alone();
    }
  };
  join();

  addEventListener("online", () => say("wake"));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") say("wake");
  });
  addEventListener("pagehide", () => {
    say("bye");
    if ("terminate" in port) port.terminate();
  });
  // A page that comes back from the back-forward cache said goodbye when it left.
  addEventListener("pageshow", ({ persisted }: PageTransitionEvent) => {
    if (persisted) join();
  });
}
