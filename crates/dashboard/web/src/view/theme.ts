import { computed, effect, signal } from "@preact/signals";
import type { Pair } from "../palette/colour";
import { param, setParam } from "./address";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const darkSystem = matching("(prefers-color-scheme: dark)");
const contrastSystem = matching("(prefers-contrast: more), (forced-colors: active)");

// A browser that is told to keep nothing of a site throws at each use of its storage.
function recall(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // The address still says it.
  }
}

/** The address says it for a link, the browser remembers it for a person, the system for everyone else. */
function remembered(name: string): string | undefined {
  return param(name) ?? recall(name);
}

export const theme = computed<Theme>(() => THEMES.find((known) => known === remembered("theme")) ?? "auto");
export const dark = computed(() => (theme.value === "auto" ? darkSystem.value : theme.value === "dark"));
export const contrast = computed(() => {
  const chosen = remembered("contrast");
  return chosen === "more" || (chosen !== "normal" && contrastSystem.value);
});

export function choose(name: "theme" | "contrast", value: string): void {
  remember(name, value);
  setParam(name, value);
}

/** The colour of a pair on the page as it is now. */
export function shade({ light, dark: onDark, strong = light }: Pair): string {
  if (dark.value) return onDark;
  return contrast.value ? strong : light;
}

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
