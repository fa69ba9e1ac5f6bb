import { fraction } from "../../format/number";
import { phaseNames } from "../../palette/phases";
import { DataTable } from "../../shell/DataTable";
import { param } from "../../view/address";
import { episodes } from "./episodes";

/** The windows of the episode that is chosen, or of the newest. */
export function Table() {
  const chosen = episodes.value.find(({ episode, model }) => `${episode} ${model}` === param("episode")) ?? episodes.value[0];
  return (
    <DataTable
      label={`Windows of ${chosen?.episode ?? "no episode"}`}
      rows={chosen?.windows ?? []}
      columns={[
        { head: "Window", number: true, cell: ({ window_idx }) => window_idx },
        { head: "Ends at", number: true, cell: ({ t_s }) => (t_s == null ? "–" : `${t_s.toFixed(1)} s`) },
        { head: "Predicted", cell: ({ predicted }) => phaseNames[predicted] },
        { head: "Really", cell: ({ phase }) => (phase == null ? "–" : phaseNames[phase]) },
        { head: "Confidence", number: true, cell: ({ confidence }) => (confidence == null ? "–" : fraction(confidence)) },
        { head: "Episode", cell: ({ episode_id }) => episode_id },
      ]}
    />
  );
}
