// Generated from the events crate; `VITRINE_BLESS=1 cargo test -p events` writes it anew.

export type Label = number | string;

export type Phase = 'clean' | 'armed' | 'infecting' | 'infected_running' | 'dormant';

export type Point = [number, number, number];

export interface RecentEpisode {
  /** Its id. */
  episode_id: string;
  /** The host that it was recorded on. */
  host_id: string;
  /** When it was received. */
  received_at: string;
  /** Checksum of its file. */
  sha256: string;
  /** Size of its file. */
  size_bytes: number;
}

export interface RunMeta {
  /** Whether it had points in the last 5 minutes. */
  is_active: boolean;
  /** Its newest point. */
  last_event_time: string;
  /** Its newest step. */
  latest_step: number;
  /** The run. */
  run_id: string;
  /** Its first point. */
  start_time: string;
}

export interface Tile {
  /** How sure the network is. */
  confidence: number;
  /** What it is. */
  ground_truth: Label;
  /** PNG or JPEG. */
  image_b64: string;
  /** What the network says. */
  prediction: Label;
  /** The sample. */
  sample_id: Label;
}

export interface EmbeddingEvent {
  seq: number;
  /** KMeans cluster. */
  cluster: number;
  /** The episode that the window is of. */
  episode_id?: string | null;
  /** The host that it was recorded on. */
  host_id?: string | null;
  /** What was. */
  phase: Phase;
  /** What the fit says. */
  predicted: Phase;
  /** The kind of load. */
  profile?: string | null;
  type: 'embedding';
  /** The window's place in its episode, from 0. */
  window_idx?: number | null;
  /** First axis of the projection. */
  x: number;
  /** Second axis. */
  y: number;
  /** Third axis. */
  z: number;
}

export interface EmbeddingSnapshotEvent {
  seq: number;
  /** How many times the producer has gone round. */
  cycle?: number | null;
  /** The fit that placed the points. */
  fit_id: string;
  /** What placed them: `pca`, `lda`, `umap`. */
  projector: string;
  /** Points, at most [`MAX_SNAPSHOT_ROWS`]. */
  rows: number;
  type: 'embedding_snapshot';
  /** Where the packed columns are, for good. */
  url: string;
}

export interface ModelMetricEvent {
  seq: number;
  /** Macro F1, whatever the field is called. */
  accuracy: number;
  /** Upper end of its interval. */
  high?: number | null;
  /** Lower end of its interval. */
  low?: number | null;
  /** The model's name. */
  model: string;
  type: 'model_metric';
}

export interface ModelPerfEvent {
  seq: number;
  /** Macro F1. */
  accuracy: number;
  /** Time to classify one window, in microseconds. */
  latency_us: number;
  /** The model's name. */
  model: string;
  type: 'model_perf';
}

export interface LiveDetectionEvent {
  seq: number;
  /** When the window ended. */
  at: string;
  /** How sure it is. */
  confidence: number;
  /** The episode being recorded. */
  episode_id?: string | null;
  /** The host. */
  host_id: string;
  /** From the end of the window to the answer, in microseconds. */
  latency_us?: number | null;
  /** The model. */
  model: string;
  /** What is really going on, where the recorder knows. */
  phase?: Phase | null;
  /** What the model says. */
  predicted: Phase;
  type: 'live_detection';
  /** The window's place in it, from 0. */
  window_idx?: number | null;
}

export interface AttackProfileEvent {
  seq: number;
  /** The telemetry channel. */
  channel: string;
  /** Episodes that it is made of. */
  episodes: number;
  /** Median over episodes, [`PROFILE_POINTS`] values. */
  median: number[];
  /** The profile. */
  name: string;
  /** First quartile, likewise. */
  p25: number[];
  /** Third quartile, likewise. */
  p75: number[];
  /** Points by section of the envelope; they add up to [`PROFILE_POINTS`]. */
  phase_budget: Record<string, number>;
  type: 'attack_profile';
  /** The channel's unit. */
  unit: string;
}

export interface PredictionEvent {
  seq: number;
  /** How sure the model is. */
  confidence?: number | null;
  /** The episode. */
  episode_id: string;
  /** The host. */
  host_id?: string | null;
  /** The model. */
  model: string;
  /** What was. */
  phase?: Phase | null;
  /** What it says. */
  predicted: Phase;
  /** Seconds from the episode's start to the window's end. */
  t_s?: number | null;
  type: 'prediction';
  /** The window's place in it, from 0. */
  window_idx: number;
}

export interface PhaseEvent {
  seq: number;
  /** When. */
  at: string;
  /** The episode being recorded. */
  episode_id?: string | null;
  /** The host. */
  host_id: string;
  /** What it entered. */
  phase: Phase;
  type: 'phase';
}

export interface EpisodeEvent {
  seq: number;
  /** Its id. */
  episode_id: string;
  /** The host that it was recorded on. */
  host_id: string;
  /** Byte offset of its line in `index.jsonl`. */
  offset?: number | null;
  /** When it was received. */
  received_at: string;
  /** Checksum of its file. */
  sha256: string;
  /** Size of its file. */
  size_bytes: number;
  type: 'episode';
}

export interface AlertEvent {
  seq: number;
  /** Alerts with the same key are one alert. */
  dedup_key: string;
  /** What was seen. */
  detail: string;
  /** When it was seen. */
  detected_at: string;
  /** The host. */
  host: string;
  /** What to do. */
  suggested_fix: string;
  /** What is wrong. */
  symptom: string;
  type: 'alert';
}

export interface SnapshotEvent {
  seq: number;
  /** Episodes by host. */
  host_counts: Record<string, number>;
  /** How far `index.jsonl` was read, in bytes: episodes below this offset are counted here. */
  index_offset?: number | null;
  /** The newest episodes, newest first, at most [`RECENT_EPISODES`]. */
  recent_episodes: RecentEpisode[];
  /** Alerts raised. */
  total_alerts: number;
  /** Bytes of episodes. */
  total_bytes: number;
  /** Episodes received. */
  total_episodes: number;
  type: 'snapshot';
}

export interface PhaseMixEvent {
  seq: number;
  /** Labels by phase. */
  counts: Record<string, number>;
  /** Episodes that there are. */
  population_episodes: number;
  /** Episodes that were read. */
  sampled_episodes: number;
  /** Labels that were read. */
  total_labels: number;
  type: 'phase_mix';
  /** Seconds by phase, scaled from the sample to the population. */
  weighted_seconds: Record<string, number>;
}

export interface MetricPointsEvent {
  seq: number;
  /** The device on that host. */
  device?: number | null;
  /** The host that measured them. */
  host?: string | null;
  /** The metric. */
  metric: string;
  /** 1 to 100,000 points. */
  points: Point[];
  /** Its rank in the run. */
  rank?: number | null;
  /** The run. */
  run_id: string;
  type: 'metric_points';
  /** The values' unit. */
  unit?: string | null;
}

export interface RunsMetaEvent {
  seq: number;
  /** One entry a run. */
  runs_meta: RunMeta[];
  /** What keeps them from being read, if they cannot be now: what is shown of them may be old. */
  trouble?: string | null;
  type: 'runs_meta';
}

export interface TilesEvent {
  seq: number;
  /** How many there are. */
  filled: number;
  /** Training iteration. */
  iteration: number;
  /** Whether the set is whole. */
  ready: boolean;
  /** The samples so far, at most 16. */
  tiles: Tile[];
  type: 'tiles';
}

export interface LossEvent {
  seq: number;
  /** Samples in the mini-batch. */
  batch_size: number;
  /** How long the trainer waited on purpose, in milliseconds. */
  delay_ms?: number | null;
  /** Training iteration. */
  iteration: number;
  /** The loss. */
  loss: number;
  type: 'loss';
}

export type Event =
  | EmbeddingEvent
  | EmbeddingSnapshotEvent
  | ModelMetricEvent
  | ModelPerfEvent
  | LiveDetectionEvent
  | AttackProfileEvent
  | PredictionEvent
  | PhaseEvent
  | EpisodeEvent
  | AlertEvent
  | SnapshotEvent
  | PhaseMixEvent
  | MetricPointsEvent
  | RunsMetaEvent
  | TilesEvent
  | LossEvent;

export interface HelloSession {
  /** The life of the broadcaster's order: seqs of different epochs do not compare. */
  epoch: string;
  /** Events up to here may have been lost in a crash of the broadcaster: part of the cursor of a reader
that is not `ready`. */
  lost_to?: number;
  /** [`PROTOCOL`]. */
  protocol: number;
  /** Whether what follows continues the reader's cursor. If not, the reader drops what it had. */
  resumed: boolean;
  /** The newest event. */
  seq: number;
  type: 'hello';
}

export interface ReadySession {
  /** The newest event that the state holds. */
  seq: number;
  type: 'ready';
}

export interface SkippedSession {
  /** The reader's cursor. */
  from: number;
  /** Whether the whole state follows. If so, the reader drops what it had. */
  reset?: boolean;
  /** Where it goes on. */
  to: number;
  type: 'skipped';
}

export interface EvictedSession {
  /** The values of the fields that the group has in common. */
  group: string[];
  /** The events' type. */
  of: EventType;
  /** Its place in the order, among the events. */
  seq: number;
  type: 'evicted';
}

export type Session =
  | HelloSession
  | ReadySession
  | SkippedSession
  | EvictedSession;

export type EventType = Event['type'];

export interface Retention {
  group: string[];
  item: string[] | 'each' | 'series';
  perGroup: number;
  groups: number;
  total: number;
}

// A type that is null here is folded into another.
export const retention: Record<EventType, Retention | null> = {
  embedding: { group: [], item: 'each', perGroup: 5000, groups: 1, total: 5000 },
  embedding_snapshot: { group: [], item: [], perGroup: 1, groups: 1, total: 1 },
  model_metric: { group: [], item: ['model'], perGroup: 100000, groups: 1, total: 100000 },
  model_perf: { group: [], item: ['model'], perGroup: 100000, groups: 1, total: 100000 },
  live_detection: { group: ['host_id'], item: 'each', perGroup: 60, groups: 256, total: 15360 },
  attack_profile: { group: [], item: ['name'], perGroup: 100000, groups: 1, total: 100000 },
  prediction: { group: ['episode_id'], item: ['window_idx', 'model'], perGroup: 20000, groups: 20000, total: 20000 },
  phase: { group: [], item: ['host_id'], perGroup: 100000, groups: 1, total: 100000 },
  episode: null,
  alert: { group: [], item: ['dedup_key'], perGroup: 200, groups: 1, total: 200 },
  snapshot: { group: [], item: [], perGroup: 1, groups: 1, total: 1 },
  phase_mix: { group: [], item: [], perGroup: 1, groups: 1, total: 1 },
  metric_points: { group: ['run_id', 'metric'], item: 'series', perGroup: 128, groups: 5000, total: 5000 },
  runs_meta: { group: [], item: [], perGroup: 1, groups: 1, total: 1 },
  tiles: { group: [], item: [], perGroup: 1, groups: 1, total: 1 },
  loss: { group: [], item: 'each', perGroup: 1024, groups: 1, total: 1024 },
};
