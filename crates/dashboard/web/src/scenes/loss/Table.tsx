import { compact, count } from "../../format/number";
import { DataTable } from "../../shell/DataTable";
import { losses } from "./losses";

export const Table = () => (
  <DataTable
    label="Losses"
    rows={losses.value.toReversed()}
    columns={[
      { head: "Iteration", number: true, cell: ({ iteration }) => count(iteration) },
      { head: "Loss", number: true, cell: ({ loss }) => compact(loss) },
      { head: "Mini-batch", number: true, cell: ({ batch_size }) => count(batch_size) },
      { head: "Waited", number: true, cell: ({ delay_ms }) => (delay_ms == null ? "–" : `${compact(delay_ms)} ms`) },
    ]}
  />
);
