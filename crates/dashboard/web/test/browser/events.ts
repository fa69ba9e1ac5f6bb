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

const phases = ["clean", "armed", "infecting", "infected_running", "dormant"];
/** Said of a window, and what it was: every fifth is told wrongly. */
const told = (i: number) => ({ predicted: phases[((i / 12) | 0) % 5], phase: phases[(((i / 12) | 0) + (i % 5 === 4 ? 1 : 0)) % 5], confidence: 0.9 });

/** Publishes what fills every scene, and a phase, which no scene shows yet. */
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
    ...hosts.flatMap((host_id, host) =>
      Array.from({ length: 60 }, (_, i) => ({
        type: "live_detection",
        host_id,
        model: "knn",
        at: time(i),
        episode_id: `episode-${61 - host}`,
        window_idx: i,
        latency_us: 84_000,
        ...told(i + 7 * host),
      })),
    ),
    ...hosts.flatMap((host_id, host) =>
      Array.from({ length: 60 - 10 * host }, (_, window_idx) => ({
        type: "prediction",
        episode_id: `episode-${61 - host}`,
        host_id,
        model: "knn",
        window_idx,
        t_s: window_idx + 5,
        ...told(window_idx + 3 * host),
      })),
    ),
    ...["bursty", "cpu-saturate", "idle", "io-walk"].map((name, n) => ({
      type: "attack_profile",
      name,
      channel: "proc.cpu_user_jiffies",
      unit: "jiffies/s",
      median: Array.from({ length: 80 }, (_, i) => (i < 25 || i > 64 ? 4 : 60 + 20 * Math.sin(i * (n + 1)))),
      p25: Array.from({ length: 80 }, (_, i) => (i < 25 || i > 64 ? 2 : 40 + 20 * Math.sin(i * (n + 1)))),
      p75: Array.from({ length: 80 }, (_, i) => (i < 25 || i > 64 ? 8 : 80 + 20 * Math.sin(i * (n + 1)))),
      episodes: 12,
      phase_budget: { clean_lead: 10, armed: 5, infecting: 10, infected_running: 40, clean_tail: 15 },
    })),
    {
      type: "phase_mix",
      counts: { clean: 31, armed: 12, infecting: 12, infected_running: 11, dormant: 3 },
      weighted_seconds: { clean: 40_000, armed: 3_200, infecting: 7_000, infected_running: 52_000, dormant: 900 },
      sampled_episodes: 12,
      population_episodes: 61,
      total_labels: 69,
    },
    { type: "phase", host_id: "rack-01", phase: "armed", at: time(31) },
  ];
  await broadcaster.publish(JSON.stringify(events));
  await broadcaster.publish(embedding(points), "application/vnd.apache.arrow.stream");
}
