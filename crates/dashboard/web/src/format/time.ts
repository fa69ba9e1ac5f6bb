const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

const DAY = 86_400_000;

/** `14:03:22`, local time. */
export const clock = (ms: number): string => hours.format(ms);

/** The time of day for what happened within a day, the date before that. */
export function moment(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return "";
  return Math.abs(now - ms) < DAY ? clock(ms) : days.format(ms);
}

const years = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** `22 Nov 2026, 14:03`, local time. */
export const date = (ms: number): string => years.format(ms);

/** Times of an axis: of day, to the second where they are that close, with the date where they are not of one day. */
export function timeTicks(times: readonly (number | null)[]): string[] {
  const all = times.filter((ms) => ms !== null);
  const close = all.slice(1).some((ms, i) => (ms - all[i]!) % 60_000 !== 0);
  const long = new Set(all.map((ms) => new Date(ms).toDateString())).size > 1;
  const format = long ? days : close ? hours : minutes;
  return times.map((ms) => (ms === null ? "" : format.format(ms)));
}

/** `now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function ago(ms: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - ms) / 1000));
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Lengths of time of an axis, in the unit of the longest, with as many digits as tell each from the others. */
export function durationTicks(seconds: readonly (number | null)[]): string[] {
  const all = seconds.filter((s) => s !== null);
  const [size, unit] = unitOf(Math.max(...all, 0));
  for (let digits = 0; ; digits += 1) {
    const texts = seconds.map((s) => (s === null ? "" : `${(s / size).toFixed(digits)} ${unit}`));
    if (digits === 6 || new Set(texts.filter(Boolean)).size === new Set(all).size) return texts;
  }
}

/** A length of time as `12 s`, `3.4 min`, `5.6 h`, `7.8 d`. */
export function duration(seconds: number): string {
  const [size, unit] = unitOf(seconds);
  const n = seconds / size;
  return `${n >= 99.95 || unit === "s" ? Math.round(n) : n.toFixed(1)} ${unit}`;
}

function unitOf(seconds: number): [size: number, unit: string] {
  const units: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ];
  return units.find(([size]) => seconds >= size) ?? [1, "s"];
}
