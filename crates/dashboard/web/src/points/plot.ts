import { type Camera, home, project, projection } from "./camera";
import { allocate, type Columns, type Point, pointAt, unpack } from "./columns";
import { type Categories, type Colouring, counted, type Counts, none } from "./counts";
import { drawingOrder } from "./order";
import { rasterLine, rasterSquares, rasterStamps } from "./raster";
import { colourTable, halve, idNear, type Look, resolve } from "./resolve";
import { MARKS_UP_TO, stamps } from "./stamp";
import { BEHIND, EMPTY, idOf, type Surface, surface } from "./surface";

/** A point that someone looks at, and where it is on the canvas. */
export interface Picked {
  /** Its place in the plot, until points are loaded or placed. */
  id: number;
  /** Where it comes from: a row of the snapshot, or an event of its own. */
  from: { row: number } | { seq: number };
  point: Point;
  x: number;
  y: number;
}

/** A surface of more cells than this is not doubled for smooth edges. */
const MOST_CELLS = 10_000_000;

/** The scatter without its canvas: columns and a camera in, pixels and answers out. */
export class Plot {
  camera: Camera = home;
  /** How many points the last picture had to draw, and how long that took, ms. None where colours were only looked up. */
  drew = { points: 0, ms: 0 };
  readonly #capacity: number;
  /** The snapshot's points come first, then the single ones. */
  #columns: Columns;
  #categories: Categories;
  #snapshot = 0;
  #single = 0;
  #placed: Columns = allocate(0);
  #seqs: readonly number[] = [];
  #order: Uint32Array = new Uint32Array(0);
  #rank: Uint32Array | undefined;
  /** Of the snapshot alone. */
  #counts: Counts = none;
  #colouring: Colouring = "phase";
  #only: number | null = null;
  #behind: Uint8Array | null = null;
  #look: Look = { colours: [0xffffffff], background: 0xff000000, line: 0xff808080, fog: 0, fade: 0 };
  #table: Uint32Array = colourTable(this.#look);
  #width = 0;
  #height = 0;
  #ratio = 1;
  #surface: Surface = surface(0, 0, 1);
  #pixels: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #fine = new Uint32Array(0);
  /** Whether the surface shows the points as they are. */
  #drawn = false;
  /** Whether the pixels show the surface as it is. */
  #painted = false;

  /** Room for this many single points beside a snapshot. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#columns = allocate(capacity);
    this.#categories = categories(this.#columns);
  }

  get points(): number {
    return this.#snapshot + this.#single;
  }

  /** Replaces the snapshot, packed as it is served. 1M points take about 0.1 s. */
  load(packed: ArrayBuffer): void {
    const rows = unpack(packed);
    const n = rows.x.length;
    this.#snapshot = n;
    this.#columns = allocate(n + this.#capacity);
    this.#categories = categories(this.#columns);
    this.#order = drawingOrder(rows);
    this.#rank = undefined;
    for (const name of COLUMNS) {
      const [from, to] = [rows[name], this.#columns[name]];
      for (let i = 0; i < n; i++) to[i] = from[this.#order[i]!]!;
    }
    this.#judge(0, n);
    this.#counts = counted(none, this.#categories, 0, n);
    this.#append();
  }

  /** Replaces the single points, packed the same way, each with the `seq` of its event; those over the capacity are left out. */
  place(packed: ArrayBuffer, seqs: readonly number[]): void {
    this.#placed = unpack(packed);
    this.#seqs = seqs;
    this.#append();
  }

  #append(): void {
    this.#single = Math.min(this.#placed.x.length, this.#capacity);
    for (const name of COLUMNS) this.#columns[name].set(this.#placed[name].subarray(0, this.#single), this.#snapshot);
    this.#judge(this.#snapshot, this.points);
    this.#drawn = false;
  }

  #judge(from: number, to: number): void {
    const { phase, predicted, verdict } = this.#categories;
    for (let i = from; i < to; i++) verdict[i] = phase[i] === predicted[i] ? 0 : 1;
  }

  /** Size of the canvas in its pixels, and how many of them are one CSS pixel. */
  resize(width: number, height: number, ratio: number): void {
    [this.#width, this.#height, this.#ratio] = [width, height, ratio];
    this.#pixels = new Uint32Array(width * height);
    this.#drawn = false;
  }

  /** `only` is one category; all others fade and lie behind it. Where neither shapes nor depths depend on it, colours are only looked up. */
  colour(colouring: Colouring, only: number | null, look: Look): void {
    this.#table = colourTable(look);
    this.#look = look;
    this.#painted = false;
    if (colouring === this.#colouring && only === this.#only) return;
    const before = this.#behind;
    [this.#colouring, this.#only] = [colouring, only];
    this.#behind = only === null ? null : new Uint8Array(256).fill(1).fill(0, only, only + 1);
    // What is wrong is what one looks for: it is never hidden by what is right.
    if (only === null && colouring === "verdict") this.#behind = new Uint8Array(256).fill(1, 0, 1);
    if (this.#marked() || before !== null || this.#behind !== null) this.#drawn = false;
  }

  /** Everything must be drawn anew, the camera moved. */
  aim(camera: Camera): void {
    this.camera = camera;
    this.#drawn = false;
  }

  /** Whether points are marks, whose shapes tell categories apart. */
  #marked(): boolean {
    return this.points <= MARKS_UP_TO;
  }

  /**
   * Draws and returns the picture, as image data of `width * height` pixels. `share` is the part of the snapshot that is drawn, a
   * fair sample; `smooth` draws at twice the size first.
   */
  render(share: number, smooth: boolean): Uint32Array<ArrayBuffer> {
    const scale = smooth && this.#ratio < 2 && this.#width * this.#height * 4 <= MOST_CELLS ? 2 : 1;
    const halo = this.#marked();
    this.drew = { points: 0, ms: 0 };
    if (!this.#drawn || this.#surface.width !== this.#width * scale) this.#draw(share, scale);
    if (this.#painted) return this.#pixels;
    const { background } = this.#look;
    const points = this.#snapshot + this.#capacity;
    const category = this.#categories[this.#colouring];
    if (scale === 1) {
      resolve(this.#surface, category, points, this.#table, background, halo, this.#pixels);
    } else {
      if (this.#fine.length !== this.#surface.cells.length) this.#fine = new Uint32Array(this.#surface.cells.length);
      resolve(this.#surface, category, points, this.#table, background, halo, this.#fine);
      halve(this.#fine, this.#surface.width, this.#surface.height, this.#pixels);
    }
    this.#painted = true;
    return this.#pixels;
  }

  #draw(share: number, scale: number): void {
    const [width, height] = [this.#width * scale, this.#height * scale];
    const ids = this.#snapshot + this.#capacity;
    const same = this.#surface.width === width && this.#surface.height === height && 1 << this.#surface.idBits > ids;
    if (same) this.#surface.cells.fill(EMPTY);
    else this.#surface = surface(width, height, ids + 1);
    const view = projection(this.camera, width, height);
    const category = this.#categories[this.#colouring];
    const pixel = this.#ratio * scale;
    const ranges = [
      [0, Math.round(this.#snapshot * share)],
      [this.#snapshot, this.points],
    ] as const;
    const start = performance.now();
    for (const [from, to] of ranges) {
      this.drew.points += to - from;
      if (this.#marked()) {
        const marks = stamps(markRadius(this.points) * pixel);
        rasterStamps(this.#surface, this.#columns, view, from, to, marks, category, this.#behind);
      } else {
        const side = Math.max(1, Math.round((this.points <= 200_000 ? 2 : 1.5) * pixel));
        rasterSquares(this.#surface, this.#columns, view, from, to, side, category, this.#behind);
      }
    }
    this.drew.ms = performance.now() - start;
    for (const [a, b] of this.edges()) rasterLine(this.#surface, view, a, b, ids, Math.max(1, Math.round(pixel)));
    this.#drawn = true;
    this.#painted = false;
  }

  /** The edges of the cube but for the three that meet at the corner nearest to the eye: an open box. */
  edges(): [Corner, Corner][] {
    const view = projection(this.camera, 1, 1);
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((c): Corner => [c & 1, (c >> 1) & 1, c >> 2]);
    const nearest = corners.reduce((a, b) => (project(view, ...a).depth <= project(view, ...b).depth ? a : b));
    return corners.flatMap((a) =>
      corners
        .filter((b) => b.reduce((sum, v, k) => sum + Math.abs(v - a[k]!), 0) === 1 && a.every((v, k) => v <= b[k]!))
        .filter((b) => a !== nearest && b !== nearest)
        .map((b): [Corner, Corner] => [a, b]),
    );
  }

  /** The point nearest to a pixel of the canvas within `reach` pixels. */
  pick(x: number, y: number, reach: number): Picked | null {
    const scale = this.#scale();
    const id = idNear(this.#surface, Math.round(x * scale), Math.round(y * scale), Math.round(reach * scale), this.#isSeen);
    return id === undefined ? null : this.picked(id);
  }

  /** The nearest visible point from another one (or from the middle) in a direction, for a keyboard. */
  step(from: number | null, dx: number, dy: number): Picked | null {
    const { width, height, cells } = this.#surface;
    const start = from === null ? null : this.picked(from);
    const scale = this.#scale();
    const [x0, y0] = start === null ? [width / 2, height / 2] : [start.x * scale, start.y * scale];
    if (start === null) return this.pick(x0 / scale, y0 / scale, Math.max(width, height));
    let best = Number.POSITIVE_INFINITY;
    let found: number | undefined;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      if (!this.#isSeen(cell) || idOf(this.#surface, cell) === from) continue;
      const [x, y] = [(i % width) - x0, Math.floor(i / width) - y0];
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy - y * dx);
      // A quarter turn to either side; straight ahead is preferred.
      if (along <= 0 || aside > along) continue;
      const cost = along + 2 * aside;
      if (cost < best) [best, found] = [cost, idOf(this.#surface, cell)];
    }
    return found === undefined ? start : this.picked(found);
  }

  #scale(): number {
    return this.#width === 0 ? 1 : this.#surface.width / this.#width;
  }

  readonly #isSeen = (cell: number): boolean =>
    cell !== EMPTY &&
    idOf(this.#surface, cell) < this.#snapshot + this.#capacity &&
    (this.#only === null || (cell & BEHIND) === 0);

  /** What there is to say of a point. */
  picked(id: number): Picked | null {
    if (id >= this.points) return null;
    const point = pointAt(this.#columns, id);
    const { x, y } = project(projection(this.camera, this.#width, this.#height), point.x, point.y, point.z);
    const seq = this.seqOf(id);
    return { id, from: seq === null ? { row: this.#order[id] ?? 0 } : { seq }, point, x, y };
  }

  /** The event of a single point; a point of the snapshot has none. */
  seqOf(id: number): number | null {
    return this.#seqs[id - this.#snapshot] ?? null;
  }

  /** The single point of an event, if it is still there. */
  idOf(seq: number): number | null {
    const place = this.#seqs.indexOf(seq);
    return place < 0 || place >= this.#single ? null : this.#snapshot + place;
  }

  /** Points of the snapshot by row, then single points. */
  rows(from: number, to: number): Point[] {
    if (this.#rank === undefined) {
      this.#rank = new Uint32Array(this.#snapshot);
      for (let i = 0; i < this.#snapshot; i++) this.#rank[this.#order[i]!] = i;
    }
    const points: Point[] = [];
    for (let row = from; row < Math.min(to, this.points); row++) {
      points.push(pointAt(this.#columns, row < this.#snapshot ? this.#rank[row]! : row));
    }
    return points;
  }

  counts(): Counts {
    return counted(this.#counts, this.#categories, this.#snapshot, this.points);
  }
}

const COLUMNS = ["x", "y", "z", "phase", "predicted", "cluster"] as const;

/** The categories among the columns, and room for the verdicts. */
function categories({ phase, predicted, cluster }: Columns): Categories {
  return { phase, predicted, cluster, verdict: new Uint8Array(phase.length) };
}

type Corner = [number, number, number];

/** CSS pixels. */
function markRadius(points: number): number {
  if (points <= 500) return 5;
  return points <= 5_000 ? 3.6 : 2.4;
}
