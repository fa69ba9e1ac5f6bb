import { param, setParam } from "../../view/address";
import { Checkpoints } from "./Checkpoints";
import { Choice, Controls } from "./Controls";
import { configured } from "./configured";
import { MetricChart } from "./MetricChart";
import { Milestones } from "./Milestones";
import { Runs } from "./Runs";
import { byMetric, trouble } from "./runs";
import { OTHER, tabOf } from "./tabs";

/** All runs, metric by metric. */
export function Chart() {
  const known = configured.value;
  const notice = trouble.value !== undefined && (
    <p role="alert" class="trouble">
      No news of runs from {trouble.value}
    </p>
  );
  if (known === undefined || byMetric.value.size === 0) return <div class="training">{notice}</div>;
  const metrics = [...byMetric.value];
  const filled = [...known, OTHER].map((tab) => ({ tab, metrics: metrics.filter(([metric]) => tabOf(metric, known) === tab) }));
  const tabs = filled.filter(({ tab, metrics }) => tab !== OTHER || metrics.length > 0);
  const open = tabs.find(({ tab }) => tab.title === param("tab")) ?? tabs.find(({ metrics }) => metrics.length > 0) ?? tabs[0]!;
  return (
    <div class="training">
      {notice}
      <Runs />
      <Choice
        name="Metrics"
        of={tabs.map(({ tab: { title }, metrics }) => [
          title,
          <>
            {title} <small>{metrics.length}</small>
          </>,
        ])}
        chosen={open.tab.title}
        choose={(title) => setParam("tab", title)}
      />
      {open.metrics.length === 0 ? (
        <p class="waiting">No run has a metric that begins with {open.tab.prefixes.join(", ")}.</p>
      ) : open.tab.as === "table" ? (
        <Checkpoints metrics={open.metrics} />
      ) : open.tab.as === "bars" ? (
        <Milestones metrics={open.metrics} />
      ) : (
        <>
          <Controls />
          <div class="metrics">
            {open.metrics.map(([metric, series]) => (
              <MetricChart key={metric} metric={metric} series={series} />
            ))}
          </div>
        </>
      )}
    </div>
  );
}
