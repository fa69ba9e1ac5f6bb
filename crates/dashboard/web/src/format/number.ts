const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `12,345`. */
export const count = (n: number): string => grouped.format(n);

const compacted = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** Three digits of any number: `0.0123`, `12.3`, `12.3K`. */
export const compact = (n: number): string => compacted.format(n);

const precise = Array.from({ length: 10 }, (_, i) => new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 + i }));

/** Numbers of an axis, with as many digits as tell each from the others. */
export function ticks(numbers: readonly (number | null)[]): string[] {
  const written = (format: Intl.NumberFormat) => numbers.map((n) => (n === null ? "" : format.format(n)));
  const differ = (texts: readonly string[]) => new Set(texts.filter(Boolean)).size === new Set(numbers.filter((n) => n !== null)).size;
  return written(precise.find((format) => differ(written(format))) ?? precise.at(-1)!);
}

/** A value in 0..1 as `0.763`. */
export const fraction = (value: number): string => value.toFixed(3);

/** A share in 0..1 as `12 %`; small shares are not rounded to nothing, nor large ones to everything. */
export function share(value: number): string {
  const percent = value * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  if (percent > 99.9 && percent < 100) return "> 99.9 %";
  const edge = (percent > 0 && percent < 9.95) || (percent >= 99.5 && percent < 100);
  return `${percent.toFixed(edge ? 1 : 0)} %`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A number of bytes as `45.2 MiB`: number and unit apart, so that a unit can be set smaller. */
export function bytes(n: number): [string, string] {
  let unit = 0;
  while (n >= 1024 && unit < BYTE_UNITS.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return [unit === 0 ? count(n) : threeDigits(n), BYTE_UNITS[unit] ?? ""];
}

/** Microseconds as `185 µs`, `1.24 ms`, `2.10 s`. */
export function latency(us: number): string {
  if (us < 1_000) return `${threeDigits(us)} µs`;
  if (us < 1_000_000) return `${threeDigits(us / 1_000)} ms`;
  return `${threeDigits(us / 1_000_000)} s`;
}

function threeDigits(n: number): string {
  if (n >= 99.95) return count(n);
  return n >= 9.995 ? n.toFixed(1) : n.toFixed(2);
}
