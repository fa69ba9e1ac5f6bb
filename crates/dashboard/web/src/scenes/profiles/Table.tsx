import { compact, count } from "../../format/number";
import { DataTable } from "../../shell/DataTable";
import { store } from "../../state/store";
import { sections } from "./sections";

/** The median of each section's middle point. */
export const Table = () => (
  <DataTable
    label="Profiles by section"
    rows={store
      .kept("attack_profile")
      .value.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((profile) => sections(profile.phase_budget).map((section) => ({ ...profile, section, middle: section.from + (section.points >> 1) })))}
    columns={[
      { head: "Profile", cell: ({ name }) => name },
      { head: "Phase", cell: ({ section }) => section.name },
      { head: "First quartile", number: true, cell: ({ p25, middle }) => compact(p25[middle] ?? 0) },
      { head: "Median", number: true, cell: ({ median, middle }) => compact(median[middle] ?? 0) },
      { head: "Third quartile", number: true, cell: ({ p75, middle }) => compact(p75[middle] ?? 0) },
      { head: "Unit", cell: ({ unit }) => unit },
      { head: "Channel", cell: ({ channel }) => <code>{channel}</code> },
      { head: "Episodes", number: true, cell: ({ episodes }) => count(episodes) },
    ]}
  />
);
