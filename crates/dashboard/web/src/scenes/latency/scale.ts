/** Decades that hold all values, at least two: `[from, to]` as powers of ten. */
export function decades(values: readonly number[]): [number, number] {
  const logs = values.map(Math.log10);
  const from = Math.floor(Math.min(...logs));
  const to = Math.max(from + 2, Math.ceil(Math.max(...logs) + 1e-9));
  return [from, to];
}

/** Tenths that hold all values in 0..1, and at least three of them. Marks, unlike bars, need no zero. */
export function tenths(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const to = Math.min(10, Math.floor(most * 10 + 0.2) + 1);
  const from = Math.max(0, Math.min(to - 3, Math.ceil(least * 10 - 0.2) - 1));
  return [from / 10, Math.max(to, from + 3) / 10];
}

export interface Costed {
  latency_us: number;
  accuracy: number;
}

/** Those that no other beats in both: nothing as fast is better, nothing as good is faster. Fastest first. */
export function frontier<T extends Costed>(models: readonly T[]): T[] {
  let best = Number.NEGATIVE_INFINITY;
  return models
    .toSorted((a, b) => a.latency_us - b.latency_us || b.accuracy - a.accuracy)
    .filter(({ accuracy }) => {
      const better = accuracy > best;
      if (better) best = accuracy;
      return better;
    });
}

export interface Label {
  x: number;
  y: number;
  anchor: "start" | "end";
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/**
 * A place for each label beside its mark, where it hides neither a mark nor another label as long as there is room. `line` is the height
 * of a line of text.
 */
export function placeLabels(
  marks: readonly { x: number; y: number; width: number }[],
  area: { width: number; height: number },
  line: number,
): Label[] {
  const mark = line / 2;
  const gap = mark + 3;
  const taken: Box[] = marks.map(({ x, y }) => ({ left: x - mark, right: x + mark, top: y - mark, bottom: y + mark }));
  return marks.map(({ x, y, width }) => {
    const at = (dx: number, dy: number): { label: Label; box: Box } => {
      const left = dx < 0 ? x + dx - width : x + dx;
      return {
        label: { x: x + dx, y: y + dy, anchor: dx < 0 ? "end" : "start" },
        box: { left, right: left + width, top: y + dy - line / 2, bottom: y + dy + line / 2 },
      };
    };
    // A little above first: the line of the unbeaten runs to the right of a mark.
    const choices = [-0.55, 0, 0.55, -1.2, 1.2, -2, 2].flatMap((rows) => [at(gap, rows * line), at(-gap, rows * line)]);
    const fits = ({ box }: { box: Box }) =>
      box.left >= 0 && box.right <= area.width && box.top >= 0 && box.bottom <= area.height && !taken.some((other) => overlap(box, other));
    const chosen = choices.find(fits) ?? at(x > area.width / 2 ? -gap : gap, 0);
    taken.push(chosen.box);
    return chosen.label;
  });
}

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
