import { bytes } from "../../format/number";
import { moment } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import { store } from "../../state/store";
import { now } from "../../view/now";
import { found } from "./found";

export function Table() {
  const snapshot = store.newest("snapshot");
  return (
    <DataTable
      label="Newest episodes"
      rows={snapshot === undefined ? [] : found(snapshot)}
      columns={[
        { head: "Episode", cell: (episode) => episode.episode_id },
        { head: "Host", cell: (episode) => episode.host_id },
        { head: "Received", cell: (episode) => moment(Date.parse(episode.received_at), now.value) },
        { head: "Size", number: true, cell: (episode) => bytes(episode.size_bytes).join(" ") },
        { head: "SHA-256", cell: (episode) => <code>{episode.sha256.slice(0, 12)}</code> },
      ]}
    />
  );
}
