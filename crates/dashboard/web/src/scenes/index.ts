import { computed, effect, signal } from "@preact/signals";
import { param } from "../view/address";
import { alerts } from "./alerts";
import { detection } from "./detection";
import { embedding } from "./embedding";
import { fleet } from "./fleet";
import { latency } from "./latency";
import { loss } from "./loss";
import { mix } from "./mix";
import { models } from "./models";
import { predictions } from "./predictions";
import { profiles } from "./profiles";
import { received } from "./received";
import { samples } from "./samples";
import type { Scene } from "./scene";
import { training } from "./training";

/** Scenes that are looked at together. */
export interface View {
  /** Its name in an address, and its grid in the style sheet. */
  id: string;
  title: string;
  /** In reading order. */
  scenes: readonly Scene[];
}

const wall: View = {
  id: "fleet",
  title: "Fleet",
  scenes: [embedding, models, latency, detection, predictions, profiles, mix, fleet, alerts],
};

export const views: readonly View[] = [
  wall,
  { id: "runs", title: "Training", scenes: [training] },
  { id: "batches", title: "Mini-batches", scenes: [samples, loss] },
];

/** Every scene of every view. */
export const scenes: readonly Scene[] = views.flatMap((view) => view.scenes);

const isFilled = (view: View) => view.scenes.some((scene) => scene.filled.value);

/** The first view that had something to show when the page opened: another that is filled later takes nobody away from it. */
const opened = signal<View | undefined>(undefined);
effect(() => {
  if (opened.value === undefined) opened.value = views.find(isFilled);
});

/** The view that the address names, or else the one that opened. */
export const current = computed((): View => views.find(({ id }) => id === param("view")) ?? opened.value ?? wall);

/** The views that one can choose between: those that have something to show, and the one that is shown. What no scene shows is in the first. */
export const choices = computed(() =>
  views.filter((view) => view === current.value || isFilled(view) || (view === wall && received.filled.value)),
);
