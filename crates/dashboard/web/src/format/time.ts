const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const DAY = 86_400_000;

/** `14:03:22`, local time. */
export const clock = (ms: number): string => hours.format(ms);

/** The time of day for what happened within a day, the date before that. */
export function moment(ms: number, now: number): string {
  if (!Number.isFinite(ms)) return "";
  return Math.abs(now - ms) < DAY ? clock(ms) : days.format(ms);
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

/** A length of time as `12 s`, `3.4 min`, `5.6 h`, `7.8 d`. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, "s"];
  const n = seconds / size;
  return `${n >= 99.95 || unit === "s" ? Math.round(n) : n.toFixed(1)} ${unit}`;
}
