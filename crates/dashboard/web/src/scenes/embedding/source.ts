import { effect } from "@preact/signals";
import { retention } from "../../generated/events";
import { PointClient } from "../../points/client";
import { pack } from "../../points/columns";
import { store } from "../../state/store";

let client: PointClient | undefined;

/** The renderer, and what it draws: the newest snapshot, and the single points that came after it. Made when first shown. */
export function points(): PointClient {
  client ??= follow(new PointClient(retention.embedding?.perGroup ?? 0));
  return client;
}

/** Fetches the snapshot again at once, after a failure. */
export function reload(): void {
  const url = address();
  if (url !== null) points().send({ do: "load", url });
}

function follow(made: PointClient): PointClient {
  let shown: string | null = null;
  effect(() => {
    const url = address();
    if (url === shown) return;
    shown = url;
    made.send({ do: "load", url });
  });
  effect(() => {
    const events = store.kept("embedding").value;
    made.send({ do: "place", packed: pack(events), seqs: events.map(({ seq }) => seq) });
  });
  return made;
}

/** The address of the packed columns, below the page's own: the page may be served under a path. */
function address(): string | null {
  const snapshot = store.newest("embedding_snapshot");
  return snapshot === undefined ? null : new URL(snapshot.url.replace(/^\/(?!\/)/, ""), document.baseURI).href;
}
