import { compact, count, ticks } from "../../format/number";
import { Curves } from "../../shell/Curves";
import { losses } from "./losses";

export function Chart() {
  const points = losses.value;
  return (
    <Curves
      label="Loss by iteration"
      x={points.map(({ iteration }) => iteration)}
      curves={[{ name: "Loss", y: points.map(({ loss }) => loss), slot: 0 }]}
      across="Iteration"
      place={count}
      value={compact}
      ticks={ticks}
    />
  );
}
