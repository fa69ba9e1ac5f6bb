import { fraction } from "../../format/number";
import { DataTable } from "../../shell/DataTable";
import { ranking } from "./ranking";

const optional = (value: number | null | undefined) => (value == null ? "–" : fraction(value));

export const Table = () => (
  <DataTable
    label="Models by macro F1"
    rows={ranking.value}
    columns={[
      { head: "Model", cell: (metric) => metric.model },
      { head: "Macro F1", number: true, cell: (metric) => fraction(metric.accuracy) },
      { head: "Low", number: true, cell: (metric) => optional(metric.low) },
      { head: "High", number: true, cell: (metric) => optional(metric.high) },
    ]}
  />
);
