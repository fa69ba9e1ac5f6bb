import { compact, count } from "../../format/number";
import { moment } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import type { Series } from "../../state/series";
import { now } from "../../view/now";
import { checkpoints } from "./checkpoints";
import { isOn } from "./runs";

/** A row a checkpoint, the newest first. */
export function Checkpoints({ metrics }: { metrics: readonly (readonly [string, readonly Series[]])[] }) {
  const names = metrics.map(([metric]) => metric);
  const shown = metrics.map(([metric, series]) => [metric, series.filter(({ run_id }) => isOn(run_id))] as const);
  return (
    <DataTable
      label="Checkpoints"
      rows={checkpoints(shown)}
      columns={[
        { head: "Run", cell: ({ run }) => run },
        { head: "Step", number: true, cell: ({ step }) => count(step) },
        { head: "At", cell: ({ time }) => moment(1_000 * time, now.value) },
        ...names.map((metric) => {
          const unit = metrics.find(([name]) => name === metric)?.[1].find(({ unit }) => unit !== undefined)?.unit;
          return {
            head: `${metric.replace(/^checkpoint_/, "")}${unit === undefined ? "" : `, ${unit}`}`,
            number: true,
            cell: ({ values }: { values: ReadonlyMap<string, number> }) => {
              const value = values.get(metric);
              return value === undefined ? "–" : compact(value);
            },
          };
        }),
      ]}
    />
  );
}
