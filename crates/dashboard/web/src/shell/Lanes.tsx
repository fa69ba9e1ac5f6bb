import type { ComponentChildren } from "preact";
import { cursor } from "./cursor";
import { useSize } from "./measure";
import { PhaseLegend } from "./PhaseLegend";
import { type Cell, Strip } from "./Strip";

/** CSS pixels. */
const HEIGHT = 22;

/** A name, its windows, and what they come to. */
export interface Lane {
  id: string;
  name: string;
  cells: readonly Cell[];
  /** Cells that the strip has room for. */
  room: number;
  /** How much of the track the strip takes, in [0,1]. */
  share: number;
  /** The number of the newest window, where it has one. */
  newest?: number | undefined;
  value: ComponentChildren;
}

interface Props {
  /** What a lane is of, as the address names the one that is chosen. */
  of: string;
  label: string;
  lanes: readonly Lane[];
}

/** Lanes one below the other, of which one may be chosen. */
export function Lanes({ of, label, lanes }: Props) {
  const { ref, size } = useSize();
  const { listbox, option } = cursor(
    of,
    lanes.map(({ id }) => id),
  );
  return (
    <div class="lanes">
      <div class="rows scroll" aria-label={label} {...listbox}>
        <div class="lane measure" role="presentation">
          <span class="track" ref={ref} />
        </div>
        {lanes.map(({ id, name, cells, room, share, newest, value }, i) => (
          <div key={id} class="lane" data-window={newest} {...option(i)}>
            <span class="name" title={name}>
              {name}
            </span>
            <span class="track">
              <Strip cells={cells} room={room} width={size.value.width * share} height={HEIGHT} />
            </span>
            <span class="value">{value}</span>
          </div>
        ))}
      </div>
      <PhaseLegend />
    </div>
  );
}
