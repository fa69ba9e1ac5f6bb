import { computed, effect, signal } from "@preact/signals";
import type { Pair } from "../palette/colour";
import { param, setParam } from "./address";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const darkSystem = matching("(prefers-color-scheme: dark)");
const contrastSystem = matching("(prefers-contrast: more)");

/** The address says it for a link, the browser remembers it for a person, the system for everyone else. */
function remembered(name: string): string | undefined {
  return param(name) ?? localStorage.getItem(name) ?? undefined;
}

export const theme = computed<Theme>(() => THEMES.find((known) => known === remembered("theme")) ?? "auto");
export const dark = computed(() => (theme.value === "auto" ? darkSystem.value : theme.value === "dark"));
export const contrast = computed(() => {
  const chosen = remembered("contrast");
  return chosen === "more" || (chosen !== "normal" && contrastSystem.value);
});

export function choose(name: "theme" | "contrast", value: string): void {
  localStorage.setItem(name, value);
  setParam(name, value);
}

/** The colour of a pair on the page as it is now. */
export const shade = (pair: Pair): string => (dark.value ? pair.dark : pair.light);

/** Keeps the document's attributes, which the style sheet goes by. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
    document.documentElement.dataset["contrast"] = contrast.value ? "more" : "normal";
  });
}

function matching(query: string) {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => {
    matches.value = list.matches;
  });
  return matches;
}
