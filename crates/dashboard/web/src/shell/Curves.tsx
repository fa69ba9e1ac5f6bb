import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type UPlot from "uplot";
import { count } from "../format/number";
import { nameColour } from "../palette/names";
import { contrast, dark, shade } from "../view/theme";
import { useSize } from "./measure";

export interface Curve {
  name: string;
  /** A value for each `x`, or none. */
  y: readonly (number | null)[];
  /** Its colour. */
  slot: number;
}

interface Props {
  label: string;
  /** Rising. */
  x: readonly number[];
  curves: readonly Curve[];
  /** What `x` is. */
  across: string;
  value: (y: number) => string;
}

/** How much closer one step of the keyboard comes. */
const CLOSER = 0.5;

/** Curves over one axis. What one has come closer to stays where it is while more comes. */
export function Curves({ label, x, curves, across, value }: Props) {
  const { ref, size } = useSize();
  const library = useSignal<typeof UPlot | undefined>(undefined);
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  /** What is seen of `x` while that is not all. */
  const closer = useSignal<[number, number] | undefined>(undefined);
  /** The place in `x` that is pointed at. */
  const at = useSignal<number | undefined>(undefined);
  const data = [x, ...curves.map(({ y }) => y)] as unknown as UPlot.AlignedData;
  const drawn = curves.map(({ name, slot }) => `${slot} ${name}`).join("\n");

  useEffect(() => {
    import("./uplot").then((module) => {
      library.value = module.default;
    });
  }, []);

  useLayoutEffect(() => {
    if (library.value === undefined || element.current === null) return;
    // A canvas knows no variables: the style sheet makes the ink the colour and the lines the border.
    const style = getComputedStyle(element.current);
    const line = { stroke: style.borderTopColor, width: 1 };
    const axis = { stroke: style.color, grid: line, ticks: line, font: `${style.fontSize} ${style.fontFamily}` };
    const height = Number.parseFloat(style.fontSize);
    const range = closer.peek();
    plot.current = new library.value(
      {
        width: size.peek().width,
        height: size.peek().height,
        legend: { show: false },
        cursor: { y: false },
        scales: { x: { time: false } },
        series: [{}, ...curves.map(({ name, slot }) => ({ label: name, stroke: shade(nameColour(slot)), width: 2, points: { show: false } }))],
        axes: [
          { ...axis, size: 2.2 * height, values: (_, splits) => splits.map(count) },
          { ...axis, size: 4 * height, values: (_, splits) => splits.map(value) },
        ],
        hooks: {
          setCursor: [({ cursor }) => (at.value = cursor.idx ?? undefined)],
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

  const see = (range: [number, number] | undefined) => {
    const [first, last] = [x[0] ?? 0, x.at(-1) ?? 0];
    const [min, max] = range ?? [first, last];
    plot.current?.setScale("x", { min: Math.max(first, min), max: Math.min(last, max) });
  };
  const point = (place: number) => {
    const [first, last] = closer.peek() ?? [x[0] ?? 0, x.at(-1) ?? 0];
    const [from, to] = [x.findIndex((value) => value >= first), x.findLastIndex((value) => value <= last)];
    const at = x[Math.max(from, Math.min(to, place))];
    const u = plot.current;
    if (u !== null && at !== undefined) u.setCursor({ left: u.valToPos(at, "x"), top: 0 });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = at.value ?? x.length - 1;
    const [first, last] = closer.value ?? [x[0] ?? 0, x.at(-1) ?? 0];
    const come = (factor: number) => {
      const [middle, half] = [x[place] ?? first, ((last - first) / 2) * factor];
      see([middle - half, middle + half]);
      // When the plot has moved.
      queueMicrotask(() => point(place));
    };
    const keys: Record<string, (() => void) | undefined> = {
      ArrowLeft: () => point(place - 1),
      ArrowRight: () => point(place + 1),
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

  const place = at.value;
  return (
    <div class="curves">
      <div class="plot" ref={ref} tabIndex={0} role="group" aria-label={`${label}: arrows point, + and - come closer`} onKeyDown={onKeyDown}>
        <div ref={element} />
      </div>
      <p class="pointed" role="status">
        {place !== undefined && x[place] !== undefined && (
          <>
            {across} {count(x[place])}
            {curves.map(({ name, y }) => {
              const here = y[place];
              return here != null && <span key={name}>{` ${name} ${value(here)}`}</span>;
            })}
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
