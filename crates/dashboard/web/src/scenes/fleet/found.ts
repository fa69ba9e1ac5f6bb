import { param } from "../../view/address";
import type { Received } from "../../wire/message";

const sought = () => (param("find") ?? "").trim().toLowerCase();

/** Whether a name has what is looked for. */
export const has = (name: string): boolean => name.toLowerCase().includes(sought());

/** The newest episodes that have it in a name, or whose digest begins with it. */
export const found = ({ recent_episodes }: Received<"snapshot">) =>
  recent_episodes.filter(({ episode_id, host_id, sha256 }) => has(episode_id) || has(host_id) || sha256.startsWith(sought()));
