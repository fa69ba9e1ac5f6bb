import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { bytes, count } from "../../format/number";
import { home } from "../../points/camera";
import { COLOURINGS } from "../../points/counts";
import { store } from "../../state/store";
import { param, setParam } from "../../view/address";
import { colouring, colouringNames } from "./colouring";
import { gestures } from "./gestures";
import { Legend } from "./Legend";
import { look } from "./look";
import { points, reload } from "./source";
import { Tip } from "./Tip";
import { View } from "./view";

const KEYS =
  "Arrow keys turn, plus and minus zoom, Shift and arrow keys go from point to point, Enter moves close to a point, 0 goes home.";
/** A point that one goes to is seen at least this large. */
const CLOSE = 2.5;
/** Of a point, CSS pixels. */
const REACH = 8;

export function Chart() {
  const client = points();
  const { value: counts } = client.counts;
  return (
    <div class="embedding">
      <div class="settings">
        <fieldset class="choice">
          <legend class="unseen">Colour by</legend>
          {COLOURINGS.map((by) => (
            <label key={by}>
              <input type="radio" name="colour" checked={colouring() === by} onChange={() => choose(by)} />
              <span>{colouringNames[by]}</span>
            </label>
          ))}
        </fieldset>
        <button type="button" aria-pressed={orbiting()} onClick={() => setParam("orbit", orbiting() ? undefined : "on")}>
          Orbit
        </button>
      </div>
      <Stage />
      {counts !== null && <Legend counts={counts} />}
    </div>
  );
}

const orbiting = () => param("orbit") === "on";

function choose(by: string): void {
  setParam("colour", by === "phase" ? undefined : by);
  setParam("only", undefined);
}

/** The canvas and what lies over it. */
function Stage() {
  const client = points();
  const stage = useRef<HTMLDivElement>(null);
  const ratio = useSignal(devicePixelRatio);
  const view = useMemo(() => new View(client), [client]);

  useEffect(() => {
    const element = stage.current;
    if (element === null) return;
    element.prepend(client.canvas);
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      ratio.value = devicePixelRatio;
      const pixels = (length: number) => Math.max(1, Math.round(length * ratio.value));
      client.send({ do: "size", width: pixels(width), height: pixels(height), ratio: ratio.value });
    });
    observer.observe(element);
    const stop = gestures(element, {
      get: () => view.camera,
      set: (camera) => view.aim(camera),
      point: (at) => {
        if (at === null) client.send({ do: "release" });
        else client.send({ do: "pick", x: at.x * ratio.value, y: at.y * ratio.value, reach: REACH * ratio.value });
      },
      step: (dx, dy) => client.send({ do: "step", dx, dy }),
      approach: () => {
        const point = client.picked.value?.point;
        if (point === undefined) return;
        const { zoom, ...turn } = view.camera;
        view.fly({ ...turn, zoom: Math.max(zoom, CLOSE), centre: [point.x, point.y, point.z] });
      },
      home: () => view.fly(home),
    });
    return () => {
      stop();
      observer.disconnect();
      // Nothing is drawn while nobody sees it.
      client.send({ do: "size", width: 1, height: 1, ratio: 0 });
    };
  }, [client, view]);

  useSignalEffect(() => client.send(look(client.canvas, ratio.value)));
  useSignalEffect(() => view.follow());
  useSignalEffect(() => {
    if (orbiting()) return view.orbit();
  });

  const label = useComputed(() => {
    const n = client.counts.value?.points ?? 0;
    return `${count(n)} points in three dimensions. ${KEYS}`;
  });
  return (
    <div class="stage" ref={stage} role="application" aria-roledescription="3-D scatter plot" aria-label={label.value} tabIndex={0}>
      <Tip ratio={ratio.value} />
      <Progress />
      <p class="hint" aria-hidden="true">
        {count(client.counts.value?.points ?? 0)} points{projector()} · drag to turn
      </p>
    </div>
  );
}

function projector(): string {
  const name = store.newest("embedding_snapshot")?.projector;
  return name === undefined ? "" : ` · ${name.toUpperCase()}`;
}

function Progress() {
  const state = points().loading.value;
  if (state === null) return null;
  if ("failed" in state) {
    return (
      <p class="progress" role="alert">
        The points cannot be shown yet: {state.failed}.{" "}
        <button type="button" onClick={reload}>
          Try now
        </button>
      </p>
    );
  }
  const [size, unit] = bytes(state.received);
  return (
    <p class="progress">
      Fetching points, {size} {unit}
    </p>
  );
}
