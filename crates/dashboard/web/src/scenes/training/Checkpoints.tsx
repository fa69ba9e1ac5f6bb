import { compact, count } from "../../format/number";
import { date } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import type { Series } from "../../state/series";
import { checkpoints, useKept } from "./checkpoints";
import { isOn } from "./runs";

/** Rows that are shown. */
const ROWS = 500;

/** A row a checkpoint, the newest first. */
export function Checkpoints({ metrics }: { metrics: readonly (readonly [string, readonly Series[]])[] }) {
  const names = metrics.map(([metric]) => metric);
  const live = metrics.flatMap(([, series]) => series.filter(({ run_id }) => isOn(run_id)));
  const { kept, trouble } = useKept([...new Set(live.map(({ run_id }) => run_id))]);
  const rows = checkpoints([...kept.filter(({ run_id, metric }) => isOn(run_id) && names.includes(metric)), ...live]);
  return (
    <>
      {trouble !== undefined && (
        <p role="alert" class="trouble">
          Some may be missing, all could not be had: {trouble}
        </p>
      )}
      <DataTable
        label="Checkpoints"
        rows={rows.slice(0, ROWS)}
        columns={[
          { head: "Run", cell: ({ run }) => run },
          { head: "Step", number: true, cell: ({ step }) => count(step) },
          { head: "At", cell: ({ time }) => date(1_000 * time) },
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
      {rows.length > ROWS && <p>and {count(rows.length - ROWS)} before them</p>}
    </>
  );
}
