import { Link } from "./link";
import { Relay, type Word } from "./relay";
import { world } from "./world";

/** Runs the link of this browser: in a SharedWorker for all tabs, or in a worker of one tab where there are none. */
export function serveLink(scope: SharedWorkerGlobalScope | DedicatedWorkerGlobalScope, root: URL): void {
  const relay = new Relay();
  const link = new Link(world(root), (status, messages, size) => relay.hear(status, messages, size));

  const serve = (tab: MessagePort | DedicatedWorkerGlobalScope) => {
    tab.onmessage = ({ data }: MessageEvent<Word>) => {
      if (data === "wake") link.wake();
      else relay.leave(tab);
    };
    relay.join(tab);
  };
  if ("onconnect" in scope) {
    scope.onconnect = ({ ports }) => {
      if (ports[0]) serve(ports[0]);
    };
  } else {
    serve(scope);
  }
  link.start();
  wakeAfterSleep(() => link.wake());
}

/** A timer that fires much too late says that the machine slept. */
function wakeAfterSleep(woke: () => void): void {
  const beat = 5_000;
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > 3 * beat) woke();
    last = now;
  }, beat);
}
