const FIRST_WAIT = 300;
/** The longest wait between two attempts, ms. */
const LONGEST_WAIT = 10_000;

/** How long to wait after this many failures in a row, ms: longer and longer, with jitter. `chance` is in [0, 1). */
export function backoff(failures: number, chance: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1)) * (0.5 + chance / 2);
}
