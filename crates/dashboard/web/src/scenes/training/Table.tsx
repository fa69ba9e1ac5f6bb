import { count } from "../../format/number";
import { moment } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import { now } from "../../view/now";
import { metas } from "./runs";

export const Table = () => (
  <DataTable
    label="Runs"
    rows={[...metas.value.values()].sort((a, b) => (a.last_event_time < b.last_event_time ? 1 : -1))}
    columns={[
      { head: "Run", cell: ({ run_id }) => run_id },
      { head: "Active", cell: ({ is_active }) => (is_active ? "yes" : "no") },
      { head: "Step", number: true, cell: ({ latest_step }) => count(latest_step) },
      { head: "Began", cell: ({ start_time }) => moment(Date.parse(start_time), now.value) },
      { head: "Last points", cell: ({ last_event_time }) => moment(Date.parse(last_event_time), now.value) },
    ]}
  />
);
