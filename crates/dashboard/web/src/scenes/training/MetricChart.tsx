import { useMemo } from "preact/hooks";
import { compact, count } from "../../format/number";
import { clock, duration } from "../../format/time";
import { Curves } from "../../shell/Curves";
import type { Series } from "../../state/series";
import { aligned } from "./aligned";
import { chosenRun } from "./chosen";
import { history } from "./history";
import { isOn, metas, runSlots } from "./runs";
import { across, acrossNames, logarithmic, smoothing } from "./settings";

/** All runs of one metric over one axis. */
export function MetricChart({ metric, series }: { metric: string; series: readonly Series[] }) {
  const shown = series.filter(({ run_id }) => isOn(run_id));
  const [how, weight] = [across(), smoothing()];
  const log = { x: logarithmic("x") && how !== "time", y: logarithmic("y") };
  const since = history.since.value;
  const names = shown.map(({ run_id }) => `${runSlots.value.get(run_id)} ${metas.value.get(run_id)?.start_time} ${run_id}`).join("\n");
  const past = history.of(metric);
  const { x, left, curves } = useMemo(() => {
    const of = shown.map((one) => {
      const points = past === undefined ? one.points : past.joined(one);
      const began = Date.parse(metas.value.get(one.run_id)?.start_time ?? "") / 1_000;
      return { points, start: Number.isFinite(began) ? began : (points[0]?.[2] ?? 0) };
    });
    const { x, y, smooth, left } = aligned(of, { across: how, log, smoothing: weight, since });
    const curves = shown.flatMap(({ run_id }, i) => {
      const slot = runSlots.value.get(run_id) ?? 0;
      const raw = { name: run_id, slot, y: y[i] ?? [] };
      return weight > 0 ? [{ ...raw, faint: true }, { ...raw, y: smooth[i] ?? [] }] : [raw];
    });
    return { x, left, curves };
  }, [series, names, how, log.x, log.y, weight, since, past]);
  const unit = series.find(({ unit }) => unit !== undefined)?.unit;
  return (
    <section class="metric" aria-label={metric}>
      <h3>
        {metric}
        {unit !== undefined && <small> {unit}</small>}
      </h3>
      <Curves
        key={how}
        label={metric}
        x={x}
        curves={curves}
        across={acrossNames[how]}
        place={how === "step" ? count : how === "time" ? (s) => clock(1_000 * s) : duration}
        value={compact}
        time={how === "time"}
        log={log}
        chosen={chosenRun.value}
        onChoose={(run) => {
          chosenRun.value = run;
        }}
      />
      {left > 0 && <p class="left-out">{count(left)} points are not above 0 and have no place on a logarithmic axis</p>}
    </section>
  );
}
