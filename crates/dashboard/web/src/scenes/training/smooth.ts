
/**
 * An exponential moving average of values in order, without the pull of its beginning: the n-th is the mean of all before it with weights that
 * fall by `weight` from one to the next. `weight` in [0, 1); 0 changes nothing.
 */
export function smoothed(values: readonly number[], weight: number): number[] {
  let sum = 0;
  let weights = 0;
  return values.map((value) => {
    sum = sum * weight + value;
    weights = weights * weight + 1;
    return sum / weights;
  });
}
