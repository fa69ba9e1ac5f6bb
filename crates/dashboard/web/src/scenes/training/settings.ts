import { param, setParam } from "../../view/address";

/** What points stand above. */
export const ACROSS = ["step", "relative", "time"] as const;
export type Across = (typeof ACROSS)[number];

export const acrossNames: Record<Across, string> = { step: "Step", relative: "Time since its start", time: "Time" };

/** How far back one looks, in seconds; all of it where there is none. */
export const SPANS: readonly { id: string; title: string; seconds?: number }[] = [
  { id: "1h", title: "1 h", seconds: 3_600 },
  { id: "6h", title: "6 h", seconds: 21_600 },
  { id: "24h", title: "24 h", seconds: 86_400 },
  { id: "7d", title: "7 d", seconds: 604_800 },
  { id: "all", title: "All (live)" },
];

export const across = (): Across => ACROSS.find((known) => known === param("across")) ?? "step";
export const span = () => SPANS.find(({ id }) => id === param("span")) ?? SPANS.at(-1)!;
export const logarithmic = (axis: "x" | "y"): boolean => (param("log") ?? "").includes(axis);

export function setLogarithmic(axis: "x" | "y", on: boolean): void {
  const axes = (["x", "y"] as const).filter((other) => (other === axis ? on : logarithmic(other)));
  setParam("log", axes.length === 0 ? undefined : axes.join(""));
}

/** The weight of what came before, in [0, 1). */
export function smoothing(): number {
  const given = Number(param("smooth"));
  return given > 0 && given < 1 ? given : 0;
}
