import type { News, Word } from "./relay";

/** Joins this tab to the browser's link. What it hears goes to `hear`, in order. */
export function joinLink(hear: (news: News) => void): void {
  let port: MessagePort | Worker;
  const say = (word: Word) => port.postMessage(word);
  const join = () => {
    port =
      typeof SharedWorker === "undefined"
        ? new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name: "link" })
        : new SharedWorker(new URL("../worker.ts", import.meta.url), { type: "module", name: "link" }).port;
    port.onmessage = ({ data }: MessageEvent<News>) => hear(data);
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
