import { count } from "../../format/number";
import { ago } from "../../format/time";
import { DataTable } from "../../shell/DataTable";
import { store } from "../../state/store";
import { now } from "../../view/now";
import { type Unshown, unshown } from "./unshown";

/** Of an event, as much as fits in a line. */
const LINE = 160;

function text({ newest: { seq: _seq, type: _type, ...fields } }: Unshown): string {
  const json = JSON.stringify(fields);
  return json.length > LINE ? `${json.slice(0, LINE)}…` : json;
}

export const Chart = () => (
  <DataTable
    label="Events that no scene shows"
    rows={unshown.value}
    columns={[
      { head: "Type", cell: ({ type }) => <code>{type}</code> },
      { head: "Kept", number: true, cell: ({ kept }) => count(kept) },
      {
        head: "Last arrived",
        cell: ({ type }) => {
          const at = store.arrivals.value.get(type);
          return at === undefined ? "before this page" : ago(at, now.value);
        },
      },
      { head: "Newest", cell: (row) => <code class="event">{text(row)}</code> },
    ]}
  />
);
