import { embedding } from "./embedding";
import { fleet } from "./fleet";
import { latency } from "./latency";
import { models } from "./models";
import type { Scene } from "./scene";

/** Every scene, in reading order. */
export const scenes: readonly Scene[] = [embedding, models, latency, fleet];
