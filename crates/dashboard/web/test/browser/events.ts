import type { Broadcaster } from "./broadcaster";
import { embedding } from "./embedding.mjs";

const models: [string, number, number][] = [
  ["gbt", 0.861, 310],
  ["mlp", 0.812, 42],
  ["cnn", 0.778, 660],
  ["knn", 0.764, 185],
  ["knn_semi", 0.702, 214],
  ["gru", 0.655, 2_400],
  ["lstm", 0.641, 3_100],
  ["bert", 0.548, 41_000],
];
const hosts = ["rack-01", "rack-02", "edge-07"];
const time = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();

/** Publishes what fills every scene, and an alert, which no scene shows yet. */
export async function publishAll(broadcaster: Broadcaster, points: number): Promise<void> {
  const events = [
    ...models.map(([model, accuracy]) => ({ type: "model_metric", model, accuracy, low: accuracy - 0.03, high: accuracy + 0.03 })),
    ...models.map(([model, accuracy, latency_us]) => ({ type: "model_perf", model, accuracy, latency_us })),
    {
      type: "snapshot",
      total_episodes: 61,
      total_alerts: 1,
      total_bytes: 734_003_200,
      host_counts: { "rack-01": 30, "rack-02": 21, "edge-07": 10 },
      recent_episodes: Array.from({ length: 20 }, (_, i) => ({
        episode_id: `episode-${61 - i}`,
        host_id: hosts[i % hosts.length],
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        size_bytes: 12_000_000,
        received_at: time(59 - i),
      })),
    },
    {
      type: "alert",
      host: "rack-02",
      symptom: "queue not draining",
      detail: "14 files older than 10 min",
      suggested_fix: "restart the uploader",
      detected_at: time(30),
      dedup_key: "queue rack-02",
    },
  ];
  await broadcaster.publish(JSON.stringify(events));
  await broadcaster.publish(embedding(points), "application/vnd.apache.arrow.stream");
}
