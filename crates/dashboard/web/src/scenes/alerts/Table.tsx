import { moment } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import { now } from "../../view/now";
import { newest } from "./newest";

export const Table = () => (
  <DataTable
    label="Alerts, one a row"
    rows={newest.value}
    columns={[
      { head: "Symptom", cell: ({ symptom }) => symptom },
      { head: "Host", cell: ({ host }) => host },
      { head: "Detected", cell: ({ detected_at }) => moment(Date.parse(detected_at), now.value) },
      { head: "Detail", cell: ({ detail }) => detail },
      { head: "Suggested fix", cell: ({ suggested_fix }) => suggested_fix },
      { head: "Key", cell: ({ dedup_key }) => <code>{dedup_key}</code> },
    ]}
  />
);
