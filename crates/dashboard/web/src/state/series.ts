import type { Point } from "../generated/events";
import type { Received } from "../wire/message";

interface Bucket {
  readonly first: Point;
  readonly last: Point;
  readonly min: Point;
  readonly max: Point;
}

/**
 * A series in so many buckets at most, all as wide: as narrow as they can be, by powers of two. The broadcaster holds the same
 * (`runs::Pyramid`, which says why): what it is follows from the set of points alone, not from their order, nor from how often one came.
 * Never changed in place.
 */
export class Pyramid {
  private constructor(
    readonly most: number,
    /** Buckets are this many steps wide. */
    readonly width: number,
    private readonly buckets: ReadonlyMap<number, Bucket>,
  ) {}

  static empty(most: number): Pyramid {
    return new Pyramid(most, 1, new Map());
  }

  /** The same, if all of the points were known. */
  with(points: readonly Point[]): Pyramid {
    let { width } = this;
    let buckets = new Map(this.buckets);
    let changed = false;
    for (const [step, value, time] of points) {
      // As the broadcaster holds them: no negative zero, and times to a millisecond.
      const point: Point = [step, value + 0, Math.floor(time * 1e3 + 0.5) / 1e3];
      const number = Math.floor(step / width);
      const before = buckets.get(number);
      const after = before === undefined ? of(point) : join(before, of(point));
      if (after === before) continue;
      changed = true;
      buckets.set(number, after);
      while (buckets.size > this.most) {
        width *= 2;
        buckets = widened(buckets);
      }
    }
    return changed ? new Pyramid(this.most, width, buckets) : this;
  }

  /** What is drawn of it, in order. */
  points(): Point[] {
    const numbers = [...this.buckets.keys()].sort((a, b) => a - b);
    return numbers.flatMap((number) => drawn(this.buckets.get(number) as Bucket));
  }

  /** Those of the points that are drawn for where they stand, and not for how high: the first and the last of each bucket. */
  ends(): ReadonlySet<Point> {
    return new Set([...this.buckets.values()].flatMap(({ first, last }) => [first, last]));
  }
}

/** What is kept of the events of a series: one that says what is drawn of it. */
export class Series {
  readonly type = "metric_points";
  #points: Point[] | undefined;
  #ends: ReadonlySet<Point> | undefined;

  private constructor(
    readonly seq: number,
    readonly run_id: string,
    readonly metric: string,
    readonly unit: string | undefined,
    private readonly pyramid: Pyramid,
  ) {}

  /** After an event; what was before if that says nothing new. */
  static after(before: Series | undefined, event: Received<"metric_points">, buckets: number): Series {
    const pyramid = (before?.pyramid ?? Pyramid.empty(buckets)).with(event.points);
    const unit = event.unit ?? before?.unit;
    if (before !== undefined && pyramid === before.pyramid && unit === before.unit) return before;
    return new Series(event.seq, event.run_id, event.metric, unit, pyramid);
  }

  get points(): Point[] {
    this.#points ??= this.pyramid.points();
    return this.#points;
  }

  get ends(): ReadonlySet<Point> {
    this.#ends ??= this.pyramid.ends();
    return this.#ends;
  }

  /** As it would be sent. */
  event(): Received<"metric_points"> {
    const { seq, type, run_id, metric, points, unit } = this;
    return unit === undefined ? { seq, type, run_id, metric, points } : { seq, type, run_id, metric, points, unit };
  }
}

function of(point: Point): Bucket {
  return { first: point, last: point, min: point, max: point };
}

/** Negative if `a` comes first: by step, then by time, then by value. */
function order(a: Point, b: Point): number {
  return a[0] - b[0] || a[2] - b[2] || a[1] - b[1];
}

/** What is in both; the first, if that has everything. */
function join(a: Bucket, b: Bucket): Bucket {
  const first = order(b.first, a.first) < 0 ? b.first : a.first;
  const last = order(b.last, a.last) > 0 ? b.last : a.last;
  // Of equal values the first.
  const min = (b.min[1] - a.min[1] || order(b.min, a.min)) < 0 ? b.min : a.min;
  const max = (a.max[1] - b.max[1] || order(b.max, a.max)) < 0 ? b.max : a.max;
  const isSame = first === a.first && last === a.last && min === a.min && max === a.max;
  return isSame ? a : { first, last, min, max };
}

function widened(buckets: ReadonlyMap<number, Bucket>): Map<number, Bucket> {
  const wider = new Map<number, Bucket>();
  for (const [number, bucket] of buckets) {
    const half = Math.floor(number / 2);
    const other = wider.get(half);
    wider.set(half, other === undefined ? bucket : join(other, bucket));
  }
  return wider;
}

function drawn({ first, last, min, max }: Bucket): Point[] {
  // Of equal points the first here stays: an end.
  const points = [first, last, min, max].sort(order);
  return points.filter((point, index) => index === 0 || order(point, points[index - 1] as Point) !== 0);
}
