import { fraction } from "../../format/number";
import { DataTable } from "../../shell/DataTable";
import { isRight } from "./sample";
import { set } from "./shown";

export const Table = () => (
  <DataTable
    label="Samples of the mini-batch"
    rows={set.value?.tiles ?? []}
    columns={[
      { head: "Sample", cell: ({ sample_id }) => sample_id },
      { head: "Predicted", cell: ({ prediction }) => prediction },
      { head: "Really", cell: ({ ground_truth }) => ground_truth },
      { head: "Right", cell: (tile) => (isRight(tile) ? "yes" : "no") },
      { head: "Confidence", number: true, cell: ({ confidence }) => fraction(confidence) },
    ]}
  />
);
