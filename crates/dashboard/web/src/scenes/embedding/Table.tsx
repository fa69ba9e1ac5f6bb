import { useSignal, useSignalEffect } from "@preact/signals";
import { count, share } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { PHASES } from "../../points/columns";
import { DataTable } from "../../shell/DataTable";
import { points } from "./source";

const PAGE = 100;

/** What was against what was predicted, and every point, a page at a time. */
export function Table() {
  const client = points();
  const from = useSignal(0);
  useSignalEffect(() => {
    // Asked for again when the points change.
    void client.counts.value;
    client.send({ do: "rows", from: from.value, to: from.value + PAGE });
  });
  const { value: counts } = client.counts;
  const { value: page } = client.rows;
  if (counts === null) return <p class="waiting">Fetching points.</p>;
  const pair = (phase: number, predicted: number) => counts.confusion[phase * PHASES.length + predicted] ?? 0;
  return (
    <div class="tables">
      <DataTable
        label="Points by phase and predicted phase"
        rows={PHASES.map((phase, i) => ({ phase, i })).filter(({ i }) => (counts.by.phase[i] ?? 0) > 0)}
        columns={[
          { head: "Phase", cell: ({ phase }) => phaseNames[phase] },
          ...PHASES.map((predicted, k) => ({
            head: `Predicted ${phaseNames[predicted].toLowerCase()}`,
            number: true,
            cell: ({ i }: { i: number }) => count(pair(i, k)),
          })),
          { head: "Right", number: true, cell: ({ i }) => share(pair(i, i) / (counts.by.phase[i] ?? 1)) },
        ]}
      />
      <div class="pager">
        <button type="button" disabled={from.value === 0} onClick={() => (from.value = Math.max(0, from.value - PAGE))}>
          Before
        </button>
        <span>
          {count(Math.min(from.value + 1, counts.points))} to {count(Math.min(from.value + PAGE, counts.points))} of {count(counts.points)}
        </span>
        <button type="button" disabled={from.value + PAGE >= counts.points} onClick={() => (from.value += PAGE)}>
          After
        </button>
      </div>
      <DataTable
        label="Points"
        rows={page.rows.map((point, i) => ({ ...point, row: page.from + i }))}
        columns={[
          { head: "Row", number: true, cell: (point) => count(point.row) },
          { head: "Phase", cell: (point) => phaseNames[point.phase] },
          { head: "Predicted", cell: (point) => phaseNames[point.predicted] },
          { head: "Cluster", number: true, cell: (point) => point.cluster },
          { head: "x", number: true, cell: (point) => point.x.toFixed(3) },
          { head: "y", number: true, cell: (point) => point.y.toFixed(3) },
          { head: "z", number: true, cell: (point) => point.z.toFixed(3) },
        ]}
      />
    </div>
  );
}
