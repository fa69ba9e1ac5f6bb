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

/**
 * Marks, from left to right, where those that would hide each other have moved aside, by half of what they lack each, until their middles
 * are `least` apart. Heights stay, and so does the order.
 */
export function apart<T extends { x: number; y: number }>(marks: readonly T[], least: number): T[] {
  const xs = marks.map(({ x }) => x);
  for (let round = 0, lacked = least; round < 100 && lacked > 0.1; round++) {
    lacked = 0;
    for (const [right, { y }] of marks.entries()) {
      for (let left = 0; left < right; left++) {
        const across = least ** 2 - (y - (marks[left]?.y ?? y)) ** 2;
        const lacks = Math.sqrt(Math.max(0, across)) - (xs[right]! - xs[left]!);
        if (across <= 0 || lacks <= 0) continue;
        xs[left]! -= lacks / 2;
        xs[right]! += lacks / 2;
        lacked = Math.max(lacked, lacks);
      }
    }
  }
  return marks.map((mark, i) => ({ ...mark, x: xs[i]! }));
}

export interface Label {
  x: number;
  y: number;
  anchor: "start" | "middle" | "end";
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/**
 * A place for each label beside its mark, where it hides neither a mark nor another label, and where no other mark is nearer to it, as long
 * as there is room. `line` is the height of a line of text.
 */
export function placeLabels(
  marks: readonly { x: number; y: number; width: number }[],
  area: { width: number; height: number },
  line: number,
): Label[] {
  const half = line / 2;
  const gap = half + 3;
  const taken: Box[] = marks.map(({ x, y }) => ({ left: x - half, right: x + half, top: y - half, bottom: y + half }));
  return marks.map((mark) => {
    const at = (anchor: Label["anchor"], rows: number): { label: Label; box: Box } => {
      const x = mark.x + { start: gap, middle: 0, end: -gap }[anchor];
      const y = mark.y + rows * line;
      const left = x - mark.width * { start: 0, middle: 0.5, end: 1 }[anchor];
      return { label: { x, y, anchor }, box: { left, right: left + mark.width, top: y - half, bottom: y + half } };
    };
    const aside = (...rows: number[]) => rows.flatMap((row) => [at("start", row), at("end", row)]);
    // A little above first: the line of the unbeaten runs to the right of a mark.
    const choices = [...aside(-0.55, 0, 0.55), at("middle", -1.2), at("middle", 1.2), ...aside(-1.3, 1.3, -2, 2)];
    const free = choices.filter(
      ({ box }) =>
        box.left >= 0 && box.right <= area.width && box.top >= 0 && box.bottom <= area.height && !taken.some((other) => overlap(box, other)),
    );
    const clear = free.find(({ box }) => marks.every((other) => other === mark || distance(box, other) > distance(box, mark)));
    const chosen = clear ?? free[0] ?? at(mark.x > area.width / 2 ? "end" : "start", 0);
    taken.push(chosen.box);
    return chosen.label;
  });
}

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const distance = ({ left, right, top, bottom }: Box, { x, y }: { x: number; y: number }) =>
  Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
