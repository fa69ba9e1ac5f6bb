import type { ComponentChildren } from "preact";

export interface Column<Row> {
  head: string;
  /** Numbers stand to the right. */
  number?: boolean;
  cell: (row: Row) => ComponentChildren;
}

/** The table behind a chart. It scrolls by itself, so it can be reached by keyboard. */
export function DataTable<Row>({ label, columns, rows }: { label: string; columns: Column<Row>[]; rows: readonly Row[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ head, number }) => (
              <th key={head} scope="col" class={number ? "number" : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {columns.map(({ head, number, cell }, k) =>
                k === 0 ? (
                  <th key={head} scope="row" class={number ? "number" : undefined}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={head} class={number ? "number" : undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
