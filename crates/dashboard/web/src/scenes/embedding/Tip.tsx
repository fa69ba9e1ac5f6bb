import { phaseNames } from "../../palette/phases";
import { store } from "../../state/store";
import { points } from "./source";

/** What there is to say of the point that is looked at, beside it. */
export function Tip({ ratio }: { ratio: number }) {
  const picked = points().picked.value;
  // It is announced, so it is there before it says something.
  if (picked === null) return <div class="tip" role="status" hidden />;
  const { point, from } = picked;
  // An event stays what it is, so nothing is subscribed to.
  const event = "seq" in from ? store.kept("embedding").peek().find(({ seq }) => seq === from.seq) : undefined;
  const right = point.phase === point.predicted;
  const facts: [string, string][] = [
    ["Phase", phaseNames[point.phase]],
    ["Predicted", `${phaseNames[point.predicted]} ${right ? "✓" : "✗"}`],
    ["Cluster", String(point.cluster)],
  ];
  if (event?.host_id != null) facts.push(["Host", event.host_id]);
  if (event?.profile != null) facts.push(["Profile", event.profile]);
  if (event?.episode_id != null) facts.push(["Episode", event.episode_id]);
  if (event?.window_idx != null) facts.push(["Window", String(event.window_idx)]);
  const place = [point.x, point.y, point.z].map((value) => value.toFixed(3)).join("  ");
  return (
    <div class="tip" role="status" style={{ "--x": `${picked.x / ratio}px`, "--y": `${picked.y / ratio}px` }}>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>{"seq" in from ? `Event ${from.seq}` : `Row ${from.row}`}</p>
      <p>{place}</p>
    </div>
  );
}
