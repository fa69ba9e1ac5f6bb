import { computed, signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type UPlot from "uplot";
import { ticks as numbers } from "../format/number";
import { dashOf, nameColour } from "../palette/names";
import { store } from "../state/store";
import { contrast, dark, shade } from "../view/theme";
import { useSize } from "./measure";

export interface Curve {
  name: string;
  /** A value for each `x`, or none. */
  y: readonly (number | null)[];
  /** Its colour and, past the last colour, its dash. */
  slot: number;
  /** Behind another that says the same more calmly; it is not pointed at. */
  faint?: boolean;
}

interface Props {
  label: string;
  /** Rising. */
  x: readonly number[];
  curves: readonly Curve[];
  /** What `x` is. */
  across: string;
  /** How an `x` is written, and a value. */
  place: (x: number) => string;
  value: (y: number) => string;
  /** How places of the axis are written. */
  ticks: (x: readonly (number | null)[]) => string[];
  /** Whether `x` is seconds since 1970. */
  time?: boolean;
  log?: { x: boolean; y: boolean };
  /** The curve that stands out, here and wherever its name is drawn. */
  chosen?: string | undefined;
  onChoose?: (name: string | undefined) => void;
}

/** How much closer one step of the keyboard comes. */
const CLOSER = 0.5;
/** A curve is pointed at from so near, CSS pixels. */
const NEAR = 24;

/** What draws them, once some were shown while the broadcaster was there: a browser does not fetch again what it could not fetch once. */
const library = signal<typeof UPlot | undefined>(undefined);
const live = computed(() => store.status.value.phase === "live");

/** Curves over one axis. What one has come closer to stays where it is while more comes. */
export function Curves({ label, x, curves, across, place: written, value, ticks, time = false, log, chosen, onChoose }: Props) {
  const { ref, size } = useSize();
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  /** What is seen of `x` while that is not all. */
  const closer = useSignal<[number, number] | undefined>(undefined);
  /** The `x` that is pointed at, and the place of each curve's nearest value, if one is near. */
  const at = useSignal<{ x: number; of: readonly (number | null | undefined)[] } | undefined>(undefined);
  const place = at.value === undefined || x.length === 0 ? undefined : nearest(x, at.value.x);
  const data = [x, ...curves.map(({ y }) => y)] as unknown as UPlot.AlignedData;
  const looks = curves.map(({ name, slot, faint, y }) => `${slot} ${faint} ${isSingle(y)} ${name}`);
  const drawn = [time, log?.x, log?.y, ...looks].join("\n");
  /** The pointer is: what is pointed at goes by it. */
  const over = useRef(false);
  const choose = useRef(onChoose);
  choose.current = onChoose;

  useEffect(() => {
    if (library.value !== undefined || !live.value) return;
    const load = (module: { default: typeof UPlot }) => {
      library.value = module.default;
    };
    import("./uplot").then(load, () => {});
  }, [live.value]);

  useLayoutEffect(() => {
    if (library.value === undefined || element.current === null) return;
    // A canvas knows no variables: the style sheet makes the ink the colour and the lines the border.
    const style = getComputedStyle(element.current);
    const line = { stroke: style.borderTopColor, width: 1 };
    const axis = { stroke: style.color, grid: line, ticks: line, font: `${style.fontSize} ${style.fontFamily}` };
    const height = Number.parseFloat(style.fontSize);
    const range = closer.peek();
    const distribution = (is: boolean | undefined) => (is ? { distr: 3 as const } : {});
    plot.current = new library.value(
      {
        width: size.peek().width,
        height: size.peek().height,
        legend: { show: false },
        cursor: { y: false, hover: { skip: [null], prox: NEAR } },
        focus: { alpha: 0.25 },
        scales: { x: { time, ...distribution(log?.x) }, y: distribution(log?.y) },
        series: [
          {},
          ...curves.map(({ name, slot, faint = false, y }) => {
            const colour = shade(nameColour(slot));
            return {
              label: name,
              stroke: faint ? `${colour}50` : colour,
              width: faint ? 1 : 2,
              dash: [...dashOf(slot)],
              // A line of one point is none.
              points: { show: isSingle(y) },
              spanGaps: true,
            };
          }),
        ],
        axes: [
          // A date and a time are this wide.
          { ...axis, size: 2.2 * height, space: time ? 7 * height : 4 * height, values: (_, splits) => ticks(splits) },
          // As wide as the longest number.
          { ...axis, size: (_, texts) => (2 + 0.6 * Math.max(4, ...(texts ?? []).map((text) => text.length))) * height, values: (_, splits) => numbers(splits) },
        ],
        hooks: {
          setCursor: [
            (u) => {
              const { idx, idxs = [], top = 0 } = u.cursor;
              const here = idx == null ? undefined : u.data[0][idx];
              // A plot that is made or filled anew has no cursor at first.
              if (here === undefined) return;
              at.value = { x: here, of: idxs.slice(1) };
              if (!over.current) return;
              const away = curves.map(({ y, faint }, i) => {
                const value = y[idxs[i + 1] ?? -1];
                return value == null || faint ? Number.POSITIVE_INFINITY : Math.abs(u.valToPos(value, "y") - top);
              });
              const least = Math.min(...away);
              choose.current?.(least <= NEAR ? curves[away.indexOf(least)]?.name : undefined);
            },
          ],
          setScale: [
            (u, key) => {
              const { min, max } = u.scales[key] ?? {};
              if (key !== "x" || min == null || max == null) return;
              const [first, last] = [u.data[0][0] ?? min, u.data[0].at(-1) ?? max];
              closer.value = min > first || max < last ? [min, max] : undefined;
            },
          ],
        },
      },
      data,
      element.current,
    );
    if (range !== undefined) plot.current.setScale("x", { min: range[0], max: range[1] });
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [library.value, drawn, dark.value, contrast.value]);

  useLayoutEffect(() => plot.current?.setSize(size.value), [size.value]);

  useLayoutEffect(() => {
    let range = closer.peek();
    // What one came closer to may be gone.
    if (range !== undefined && (range[0] >= (x.at(-1) ?? 0) || range[1] <= (x[0] ?? 0))) range = undefined;
    plot.current?.setData(data, range === undefined);
    // Of what is seen the heights may be others now.
    if (range !== undefined) plot.current?.setScale("x", { min: range[0], max: range[1] });
  }, [x, curves]);

  // What is pointed at stays so while more comes and the plot changes.
  useLayoutEffect(() => {
    // When the plot has changed.
    if (!over.current) queueMicrotask(() => point(place));
  }, [x, curves, library.value, drawn, size.value, dark.value, contrast.value]);

  useLayoutEffect(() => {
    const u = plot.current;
    if (u === null) return;
    const index = curves.findIndex(({ name, faint }) => name === chosen && !faint);
    u.setSeries(index < 0 ? null : index + 1, { focus: true }, false);
  }, [chosen, library.value, drawn]);

  const point = (place: number | undefined) => {
    if (place === undefined) return;
    const [first, last] = closer.peek() ?? [x[0] ?? 0, x.at(-1) ?? 0];
    const [from, to] = [x.findIndex((value) => value >= first), x.findLastIndex((value) => value <= last)];
    const next = x[Math.max(from, Math.min(to, place))];
    const u = plot.current;
    if (u !== null && next !== undefined) u.setCursor({ left: u.valToPos(next, "x"), top: 0 });
  };
  const see = (range: [number, number] | undefined) => {
    const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0];
    const [min, max] = range ?? [first, last];
    plot.current?.setScale("x", { min: Math.max(first, min), max: Math.min(last, max) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = place ?? x.length - 1;
    const [first, last] = closer.value ?? [x[0] ?? 0, x.at(-1) ?? 0];
    const come = (factor: number) => {
      const [middle, half] = [x[from] ?? first, ((last - first) / 2) * factor];
      see([middle - half, middle + half]);
      // When the plot has moved.
      queueMicrotask(() => point(from));
    };
    const keys: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => point(other(x, from, -1)),
      ArrowRight: () => point(other(x, from, 1)),
      Home: () => point(0),
      End: () => point(x.length - 1),
      "+": () => come(CLOSER),
      "-": () => come(1 / CLOSER),
      ...(closer.value === undefined ? {} : { Escape: () => see(undefined) }),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class="curves">
      <div
        class="plot"
        ref={ref}
        tabIndex={0}
        role="group"
        aria-label={`${label}: arrows point, + and - come closer`}
        onKeyDown={onKeyDown}
        onPointerEnter={() => {
          over.current = true;
        }}
        onPointerLeave={() => {
          over.current = false;
          at.value = undefined;
          onChoose?.(undefined);
        }}
      >
        <div ref={element} />
      </div>
      <p class="pointed" role="status">
        {place !== undefined && x[place] !== undefined && (
          <>
            {across} {written(x[place])}
            {curves
              .map(({ name, faint, y }, i) => ({ name, is: !faint && (chosen === undefined || name === chosen), here: y[at.value?.of[i] ?? -1] }))
              .filter(({ is }) => is)
              .map(({ name, here }) => here != null && <span key={name}>{` ${name} ${value(here)}`}</span>)}
          </>
        )}
      </p>
      {closer.value !== undefined && (
        <button type="button" onClick={() => see(undefined)}>
          All of it
        </button>
      )}
    </div>
  );
}

/** The place of what is nearest to a value in what rises. */
function nearest(rising: readonly number[], value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - rising[low - 1]! < rising[low]! - value ? low - 1 : low;
}

/** The next place, forwards or backwards, with another value. */
function other(rising: readonly number[], from: number, way: 1 | -1): number {
  let place = from + way;
  while (rising[place] !== undefined && rising[place] === rising[from]) place += way;
  return place;
}

const isSingle = (y: readonly (number | null)[]) => y.filter((value) => value !== null).length === 1;
