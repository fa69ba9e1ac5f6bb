import { fraction, latency } from "../../format/number";
import { nameColour } from "../../palette/names";
import { markOf } from "../../points/stamp";
import { cursor } from "../../shell/cursor";
import { useSize } from "../../shell/measure";
import { MarkPath } from "../../shell/Swatch";
import { store } from "../../state/store";
import { shade } from "../../view/theme";
import { modelSlots } from "../models/ranking";
import { apart, decades, frontier, placeLabels, tenths } from "./scale";

/** In lines of text. */
const MARGIN = { left: 2.1, right: 0.9, top: 0.6, bottom: 1.7 };
/** Width of a letter, in lines, roughly. */
const LETTER = 0.56;
/** Width of a mark, CSS pixels. */
const MARK = 10;

/** Latency on a logarithmic axis against macro F1, with its interval, and the line of those that nothing beats in both. */
export function Chart() {
  const { ref, size } = useSize();
  const models = store.kept("model_perf").value.toSorted((a, b) => a.latency_us - b.latency_us);
  const { chosen, listbox, option } = cursor(
    "model",
    models.map((perf) => perf.model),
  );
  const intervals = new Map(store.kept("model_metric").value.map((metric) => [metric.model, metric]));

  const { width, height } = size.value;
  const line = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const margin = { left: MARGIN.left * line, top: MARGIN.top * line };
  const inner = {
    width: Math.max(1, width - margin.left - MARGIN.right * line),
    height: Math.max(1, height - margin.top - MARGIN.bottom * line),
  };
  const [from, to] = decades(models.map((perf) => perf.latency_us));
  const seen = models.flatMap(({ model, accuracy }) => [accuracy, intervals.get(model)?.low ?? accuracy, intervals.get(model)?.high ?? accuracy]);
  const [low, high] = tenths(seen);
  const x = (us: number) => ((Math.log10(us) - from) / (to - from)) * inner.width;
  const y = (accuracy: number) => ((high - accuracy) / (high - low)) * inner.height;
  const ticks = Array.from({ length: Math.round((high - low) * 10) + 1 }, (_, i) => Math.round(low * 10 + i) / 10);

  const places = models.map((perf) => ({ ...perf, x: x(perf.latency_us), y: y(perf.accuracy), width: perf.model.length * LETTER * line }));
  const marks = apart(places, MARK);
  const labels = placeLabels(marks, inner, line);
  const steps = frontier(marks).map((mark, i) => (i === 0 ? `M${mark.x} ${mark.y}` : `H${mark.x}V${mark.y}`));

  return (
    <div class="latency" ref={ref}>
      <svg
        width={width}
        height={height}
        aria-label="Models by latency"
        {...listbox}
      >
        <g transform={`translate(${margin.left} ${margin.top})`}>
          <g class="grid" aria-hidden="true">
            {ticks.map((tick) => (
              <g key={tick} transform={`translate(0 ${y(tick)})`}>
                <line x2={inner.width} />
                <text x={-8} dy="0.32em" text-anchor="end">
                  {tick.toFixed(1)}
                </text>
              </g>
            ))}
            {Array.from({ length: to - from + 1 }, (_, i) => from + i).map((power) => (
              <g key={power} transform={`translate(${x(10 ** power)} 0)`}>
                <line y2={inner.height} />
                <text y={inner.height + 1.3 * line} text-anchor={power === to ? "end" : power === from ? "start" : "middle"}>
                  {latency(10 ** power).replace(/\.0+ /, " ")}
                </text>
              </g>
            ))}
          </g>
          <path class="frontier" d={`${steps.join("")}H${inner.width}`} aria-hidden="true" />
          <g aria-hidden="true">
            {marks.map(({ model, x }) => {
              const { low, high } = intervals.get(model) ?? {};
              return low != null && high != null && <line key={model} class="whisker" x1={x} x2={x} y1={y(low)} y2={y(high)} />;
            })}
            {marks.map(({ model, x, y }) => (
              <circle key={model} class="room" cx={x} cy={y} r="8" />
            ))}
          </g>
          {marks.map(({ model, latency_us, accuracy, x, y }, i) => {
            const slot = modelSlots.value.get(model) ?? 0;
            const label = labels[i];
            return (
              <g
                key={model}
                class="costed"
                aria-label={`${model} ${latency(latency_us)} a window, macro F1 ${fraction(accuracy)}`}
                {...option(i)}
              >
                <g transform={`translate(${x} ${y})`}>
                  <MarkPath mark={markOf(slot)} colour={shade(nameColour(slot))} />
                </g>
                {label !== undefined && (
                  <text x={label.x} y={label.y} dy="0.34em" text-anchor={label.anchor}>
                    {model}
                    {model === chosen && <tspan class="detail"> {latency(latency_us)}</tspan>}
                  </text>
                )}
              </g>
            );
          })}
        </g>
      </svg>
    </div>
  );
}
