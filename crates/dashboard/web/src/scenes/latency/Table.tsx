import { fraction, latency } from "../../format/number";
import { DataTable } from "../../shell/DataTable";
import { store } from "../../state/store";
import { frontier } from "./scale";

export function Table() {
  const models = store.kept("model_perf").value;
  const best = new Set(frontier(models));
  return (
    <DataTable
      label="Models by latency"
      rows={models.toSorted((a, b) => a.latency_us - b.latency_us)}
      columns={[
        { head: "Model", cell: (perf) => perf.model },
        { head: "A window", number: true, cell: (perf) => latency(perf.latency_us) },
        { head: "Macro F1", number: true, cell: (perf) => fraction(perf.accuracy) },
        { head: "Unbeaten in both", cell: (perf) => (best.has(perf) ? "yes" : "") },
      ]}
    />
  );
}
