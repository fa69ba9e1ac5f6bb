import { fraction, latency } from "../../format/number";
import { moment } from "../../format/time";
import { phaseNames } from "../../palette/phases";
import { DataTable } from "../../shell/DataTable";
import { now } from "../../view/now";
import { lanes } from "./lanes";

export const Table = () => (
  <DataTable
    label="Hosts as they are seen now"
    rows={lanes.value.flatMap(({ detections }) => detections.slice(-1))}
    columns={[
      { head: "Host", cell: ({ host_id }) => host_id },
      { head: "Predicted", cell: ({ predicted }) => phaseNames[predicted] },
      { head: "Really", cell: ({ phase }) => (phase == null ? "–" : phaseNames[phase]) },
      { head: "Confidence", number: true, cell: ({ confidence }) => fraction(confidence) },
      { head: "Window's end", cell: ({ at }) => moment(Date.parse(at), now.value) },
      { head: "Told after", number: true, cell: ({ latency_us }) => (latency_us == null ? "–" : latency(latency_us)) },
      { head: "Episode", cell: ({ episode_id }) => episode_id ?? "–" },
      { head: "Model", cell: ({ model }) => model },
    ]}
  />
);
