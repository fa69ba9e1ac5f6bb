import { count, share } from "../../format/number";
import { duration } from "../../format/time";
import { phaseNames } from "../../palette/phases";
import { DataTable } from "../../shell/DataTable";
import { rows } from "./rows";

export const Table = () => (
  <DataTable
    label="Time by phase"
    rows={rows.value}
    columns={[
      { head: "Phase", cell: ({ phase }) => phaseNames[phase] },
      { head: "Share of the time", number: true, cell: (row) => share(row.share) },
      { head: "Time", number: true, cell: ({ seconds }) => duration(seconds) },
      { head: "Labels in the sample", number: true, cell: ({ labels }) => count(labels) },
    ]}
  />
);
