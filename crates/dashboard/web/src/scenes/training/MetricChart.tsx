import { useMemo, useRef } from "preact/hooks";
import { compact, count, ticks } from "../../format/number";
import { duration, durationTicks, moment, timeTicks } from "../../format/time";
import { type Curve, Curves } from "../../shell/Curves";
import { useInView } from "../../shell/measure";
import type { Series } from "../../state/series";
import { aligned } from "./aligned";
import { choose, chosenRun } from "./chosen";
import { drawnOf, useHistory } from "./history";
import { isOn, metas, runSlots } from "./runs";
import { across, acrossNames, logarithmic, smoothing } from "./settings";

const milliseconds = (times: readonly (number | null)[]) => times.map((s) => (s === null ? null : 1_000 * s));

/** How what lies across is written, at the pointer and along the axis. */
const WRITTEN = {
  step: { place: count, ticks },
  relative: { place: duration, ticks: durationTicks },
  time: { place: (s: number) => moment(1_000 * s, Date.now()), ticks: (times: readonly (number | null)[]) => timeTicks(milliseconds(times)) },
};

/** All runs of one metric over one axis. What nobody sees waits. */
export function MetricChart({ metric, series }: { metric: string; series: readonly Series[] }) {
  const { ref, inView } = useInView();
  const shown = series.filter(({ run_id }) => isOn(run_id));
  const [how, weight] = [across(), smoothing()];
  const log = { x: logarithmic("x") && how !== "time", y: logarithmic("y") };
  const looks = inView.value;
  const { since, of: past } = useHistory(
    metric,
    shown.map(({ run_id }) => run_id),
    looks,
  );
  const names = shown.map(({ run_id }) => `${runSlots.value.get(run_id)} ${metas.value.get(run_id)?.start_time} ${run_id}`).join("\n");
  const fresh = useMemo(() => {
    if (!looks) return undefined;
    const lines = shown.map((one) => {
      const { points, ends } = drawnOf(one, past.get(one.run_id));
      const began = Date.parse(metas.value.get(one.run_id)?.start_time ?? "") / 1_000;
      return { points, ends, start: Number.isFinite(began) ? began : (points[0]?.[2] ?? 0) };
    });
    const { x, y, smooth, left } = aligned(lines, { across: how, log, smoothing: weight, since });
    const curves = shown.flatMap(({ run_id }, i): Curve[] => {
      const slot = runSlots.value.get(run_id) ?? 0;
      const raw = { name: run_id, slot, y: y[i] ?? [] };
      return weight > 0 ? [{ ...raw, faint: true }, { ...raw, y: smooth[i] ?? [] }] : [raw];
    });
    return { x, left, curves, how };
  }, [series, names, how, log.x, log.y, weight, since, past, looks]);
  const last = useRef(fresh);
  if (fresh !== undefined) last.current = fresh;
  const drawn = last.current;
  const unit = series.find(({ unit }) => unit !== undefined)?.unit;
  return (
    <section class="metric" aria-label={metric} ref={ref}>
      <h3>
        {metric}
        {unit !== undefined && <small> {unit}</small>}
      </h3>
      {drawn === undefined ? (
        <div class="unseen-yet" />
      ) : (
        <Curves
          key={drawn.how}
          label={metric}
          x={drawn.x}
          curves={drawn.curves}
          across={acrossNames[drawn.how]}
          {...WRITTEN[drawn.how]}
          value={compact}
          time={drawn.how === "time"}
          log={log}
          chosen={chosenRun.value}
          onChoose={choose}
        />
      )}
      {drawn !== undefined && drawn.left > 0 && (
        <p class="left-out">{count(drawn.left)} points are not above 0 and have no place on a logarithmic axis</p>
      )}
    </section>
  );
}
