import { alerts } from "./alerts";
import { detection } from "./detection";
import { embedding } from "./embedding";
import { fleet } from "./fleet";
import { latency } from "./latency";
import { mix } from "./mix";
import { models } from "./models";
import { predictions } from "./predictions";
import { profiles } from "./profiles";
import type { Scene } from "./scene";

/** Every scene, in reading order. */
export const scenes: readonly Scene[] = [embedding, models, latency, detection, predictions, profiles, mix, fleet, alerts];
