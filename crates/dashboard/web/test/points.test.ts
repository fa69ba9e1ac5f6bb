import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { between, home, project, projection, readCamera, turned, writeCamera, zoomed } from "../src/points/camera";
import { PHASES, type Point, pack, pointAt, unpack } from "../src/points/columns";
import type { Colouring } from "../src/points/counts";
import { drawingOrder } from "../src/points/order";
import { Plot } from "../src/points/plot";
import type { Look } from "../src/points/resolve";
import { halve } from "../src/points/resolve";
import { MARKS_UP_TO } from "../src/points/stamp";

const RED = 0xff0000ff;
const GREEN = 0xff00ff00;
const BLUE = 0xffff0000;
const BLACK = 0xff000000;
const LINE = 0xff404040;
const look: Look = { colours: [RED, GREEN, BLUE, 0xff00ffff, 0xffff00ff], background: BLACK, line: LINE, fog: 0, fade: 1 };

const front = { ...home, yaw: 0, pitch: 0 };

const at = (x: number, y: number, z: number, more: Partial<Point> = {}): Point => ({
  x,
  y,
  z,
  phase: "clean",
  predicted: "clean",
  cluster: 0,
  ...more,
});

function plot(points: Point[], size = 200): Plot {
  const made = new Plot(10);
  made.resize(size, size, 1);
  made.load(pack(points));
  made.colour("phase", null, look);
  made.aim(front);
  return made;
}

const pixelAt = (pixels: Uint32Array, x: number, y: number, size = 200) => pixels[Math.round(y) * size + Math.round(x)];
const count = (pixels: Uint32Array, colour: number) => pixels.reduce((n, pixel) => n + (pixel === colour ? 1 : 0), 0);

describe("packed columns", () => {
  test("nine bytes a point, planar, little-endian", () => {
    const bytes = [...new Uint8Array(pack([at(1, 0, 0.5, { phase: "armed", predicted: "dormant", cluster: 7 }), at(0, 1, 0)]))];
    expect(bytes).toEqual([255, 255, 0, 0, 0, 0, 255, 255, 0, 128, 0, 0, 1, 0, 4, 0, 7, 0]);
  });

  test("what was packed is read back to within half a step", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(unit, unit, unit)), (places) => {
        const columns = unpack(pack(places.map(([x, y, z]) => at(x, y, z))));
        places.forEach(([x], i) => expect(Math.abs(pointAt(columns, i).x - x)).toBeLessThanOrEqual(0.5 / 65535 + 1e-12));
      }),
    );
  });

  test("bytes that are not whole points are refused", () => {
    expect(() => unpack(new ArrayBuffer(10))).toThrow("10 bytes are not a whole number of points of 9 bytes");
  });
});

describe("the drawing order", () => {
  test("holds every row once, and any large prefix is a fair sample of a sorted table", () => {
    const n = 200_000;
    const columns = unpack(new ArrayBuffer(n * 9));
    for (let i = 0; i < n; i++) columns.x[i] = (i / n) * 65535;
    const order = drawingOrder(columns);
    expect(new Set(order).size).toBe(n);
    const firstThird = order.subarray(0, Math.round(n / 3));
    const mean = firstThird.reduce((sum, row) => sum + row / n, 0) / firstThird.length;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
  });
});

describe("the camera", () => {
  test("every place of the cube lies in the range of depths, from everywhere", () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    const angle = fc.double({ min: -180, max: 180, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(unit, unit, unit), fc.tuple(unit, unit, unit), angle, angle, (place, centre, yaw, pitch) => {
        const { depth } = project(projection({ yaw, pitch, zoom: 1, centre }, 300, 200), ...place);
        expect(depth).toBeGreaterThanOrEqual(0);
        expect(depth).toBeLessThan(1);
      }),
    );
  });

  test("from the front, x goes right, y goes up and z comes nearer", () => {
    const view = projection(front, 200, 200);
    const middle = project(view, 0.5, 0.5, 0.5);
    expect(middle).toMatchObject({ x: 100, y: 100 });
    expect(project(view, 1, 0.5, 0.5).x).toBeGreaterThan(middle.x);
    expect(project(view, 0.5, 1, 0.5).y).toBeLessThan(middle.y);
    expect(project(view, 0.5, 0.5, 1).depth).toBeLessThan(middle.depth);
  });

  test("what it is centred on is in the middle of the picture", () => {
    const view = projection({ ...home, centre: [0.2, 0.9, 0.4] }, 300, 200);
    const { x, y } = project(view, 0.2, 0.9, 0.4);
    expect([x, y]).toEqual([expect.closeTo(150, 6), expect.closeTo(100, 6)]);
  });

  test("goes from one view to another the shorter way round", () => {
    const [a, b] = [{ ...home, yaw: 170 }, { ...home, yaw: -170, zoom: 4 }];
    expect(between(a, b, 0)).toEqual(a);
    expect(between(a, b, 1)).toEqual(b);
    expect(between(a, b, 0.5)).toMatchObject({ yaw: -180, zoom: 2 });
  });

  test("does not turn over and stays within its zoom", () => {
    expect(turned(home, 0, 500).pitch).toBe(90);
    expect(turned(home, 720, 0).yaw).toBe(home.yaw);
    expect(zoomed(home, 1e9).zoom).toBe(40);
    expect(zoomed(home, 0).zoom).toBe(0.5);
  });

  test("is read back from an address, and nonsense is the home position", () => {
    const camera = { ...home, yaw: 170, pitch: -45, zoom: 2.5 };
    expect(writeCamera(camera)).toBe("170,-45,2.5");
    expect(readCamera(writeCamera(camera))).toEqual(camera);
    const close = { ...camera, centre: [0.25, 0.5, 1] as const };
    expect(readCamera(writeCamera(close))).toEqual(close);
    for (const nonsense of [undefined, "", "1,2", "a,b,c", ",,", "1,2,3,4", "Infinity,0,1", "0,0,1,2,0,0"]) {
      expect(readCamera(nonsense)).toEqual(home);
    }
  });
});

describe("the plot", () => {
  test("draws a point where the camera sees it, in the colour of its phase", () => {
    const pixels = plot([at(0.5, 0.5, 0.5), at(0.9, 0.5, 0.5, { phase: "armed" })]).render(1, false);
    expect(pixelAt(pixels, 100, 100)).toBe(RED);
    const view = projection(front, 200, 200);
    const { x, y } = project(view, 0.9, 0.5, 0.5);
    expect(pixelAt(pixels, x, y)).toBe(GREEN);
  });

  test("the nearer point hides the farther one, whatever the order of rows", () => {
    const near = at(0.5, 0.5, 0.9, { phase: "armed" });
    const far = at(0.5, 0.5, 0.1);
    expect(pixelAt(plot([near, far]).render(1, false), 100, 100)).toBe(GREEN);
    expect(pixelAt(plot([far, near]).render(1, false), 100, 100)).toBe(GREEN);
    const behind = plot([far, near]);
    behind.aim({ ...front, yaw: 180 });
    expect(pixelAt(behind.render(1, false), 100, 100)).toBe(RED);
  });

  test("recolours by phase, prediction, cluster and verdict", () => {
    const made = plot([at(0.5, 0.5, 0.5, { phase: "clean", predicted: "armed", cluster: 2 })]);
    const seen = (colouring: "phase" | "predicted" | "cluster" | "verdict") => {
      made.colour(colouring, null, look);
      return pixelAt(made.render(1, false), 100, 100);
    };
    expect([seen("phase"), seen("predicted"), seen("cluster"), seen("verdict")]).toEqual([RED, GREEN, BLUE, GREEN]);
  });

  test("recolouring touches no position: points are drawn anew only for other shapes or for what lies behind", () => {
    const drawsAnew = (made: Plot, colouring: Colouring, only: number | null = null) => {
      made.colour(colouring, only, look);
      made.render(1, false);
      return made.drew.points > 0;
    };
    const many = plot(Array.from({ length: MARKS_UP_TO + 1 }, (_, i) => at((i % 100) / 100, 0.5, 0.5, { cluster: i % 3 })));
    expect(drawsAnew(many, "phase")).toBe(true);
    expect(drawsAnew(many, "phase")).toBe(false);
    expect(drawsAnew(many, "cluster")).toBe(false);
    expect(drawsAnew(many, "predicted")).toBe(false);
    expect(drawsAnew(many, "verdict")).toBe(true);
    expect(drawsAnew(many, "phase")).toBe(true);
    expect(drawsAnew(many, "phase", 1)).toBe(true);
    expect(drawsAnew(many, "cluster", 1)).toBe(true);

    const few = plot([at(0.5, 0.5, 0.5)]);
    expect(drawsAnew(few, "phase")).toBe(true);
    expect(drawsAnew(few, "cluster")).toBe(true);
    expect(drawsAnew(few, "cluster")).toBe(false);
  });

  test("looked up or drawn anew, the picture is the same", () => {
    const points = Array.from({ length: MARKS_UP_TO + 1 }, (_, i) =>
      at((i % 150) / 150, (i % 70) / 70, (i % 11) / 11, { predicted: PHASES[i % 5] ?? "clean", cluster: i % 7 }),
    );
    const made = plot(points);
    for (const [colouring, only] of [["phase", null], ["predicted", null], ["cluster", 2], ["predicted", 2], ["verdict", null], ["cluster", null]] as const) {
      made.colour(colouring, only, look);
      const anew = plot(points);
      anew.colour(colouring, only, look);
      expect(made.render(1, false)).toEqual(anew.render(1, false));
    }
  });

  test("what is wrong is not hidden by what is right", () => {
    const made = plot([at(0.5, 0.5, 0.9), at(0.5, 0.5, 0.1, { predicted: "armed" })]);
    made.colour("verdict", null, look);
    expect(pixelAt(made.render(1, false), 100, 100)).toBe(GREEN);
  });

  test("one category alone is drawn over the others, which fade", () => {
    const made = plot([at(0.5, 0.5, 0.9), at(0.5, 0.5, 0.1, { phase: "armed" }), at(0.8, 0.5, 0.5)]);
    made.colour("phase", 1, look);
    const pixels = made.render(1, false);
    expect(pixelAt(pixels, 100, 100)).toBe(GREEN);
    expect(count(pixels, RED)).toBe(0);
  });

  test("draws more points than marks can show as small squares, in the right place", () => {
    const points = Array.from({ length: 30_000 }, () => at(0.5, 0.5, 0.5));
    const pixels = plot(points).render(1, false);
    expect(count(pixels, RED)).toBe(4);
    expect(pixelAt(pixels, 100, 100)).toBe(RED);
  });

  test("single points lie beside the snapshot and survive a new one", () => {
    const made = plot([at(0.2, 0.5, 0.5)]);
    made.place(pack([at(0.5, 0.5, 0.5, { phase: "armed" })]), [7]);
    expect(made.points).toBe(2);
    expect(pixelAt(made.render(1, false), 100, 100)).toBe(GREEN);
    made.load(pack([at(0.2, 0.5, 0.5), at(0.3, 0.5, 0.5)]));
    expect(made.points).toBe(3);
    expect(pixelAt(made.render(1, false), 100, 100)).toBe(GREEN);
  });

  test("a single point is known by its event, wherever the ring has moved it", () => {
    const made = plot([at(0.2, 0.5, 0.5)]);
    const single = (x: number) => at(x, 0.5, 0.5);
    made.place(pack([single(0.3), single(0.4), single(0.5)]), [10, 11, 12]);
    made.render(1, false);
    const picked = made.pick(100, 100, 6);
    expect(picked?.from).toEqual({ seq: 12 });
    made.place(pack([single(0.4), single(0.5), single(0.6)]), [11, 12, 13]);
    expect(made.picked(made.idOf(12) ?? -1)).toMatchObject({ from: { seq: 12 }, x: picked?.x });
    expect(made.idOf(10)).toBeNull();
    expect(made.seqOf(0)).toBeNull();
  });

  test("picks the point under a pixel, and nothing where nothing is", () => {
    const points = [at(0.1, 0.1, 0.5), at(0.5, 0.5, 0.5, { cluster: 3 }), at(0.9, 0.9, 0.5)];
    const made = plot(points);
    made.render(1, true);
    expect(made.pick(102, 99, 6)).toMatchObject({ from: { row: 1 }, point: { cluster: 3 } });
    expect(made.pick(100, 30, 6)).toBeNull();
  });

  test("finds the row of every point that is seen, at rest and smooth", () => {
    const place = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(place, place), { minLength: 1, maxLength: 20 }), fc.boolean(), (places, smooth) => {
        const points = places.map(([x, y], i) => at(x, y, 0.5, { cluster: i }));
        const made = plot(points);
        made.render(1, smooth);
        for (const [x, y] of places) {
          const screen = project(projection(front, 200, 200), x, y, 0.5);
          const picked = made.pick(screen.x, screen.y, 3);
          expect(picked?.from).toEqual({ row: picked?.point.cluster });
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a keyboard steps from point to point in a direction", () => {
    const made = plot([at(0.5, 0.5, 0.5), at(0.8, 0.5, 0.5), at(0.5, 0.8, 0.5), at(0.2, 0.5, 0.5)]);
    made.render(1, false);
    const first = made.step(null, 1, 0)?.id ?? -1;
    const step = (from: number, dx: number, dy: number) => made.step(from, dx, dy)?.id ?? -1;
    const row = (id: number) => made.picked(id)?.from;
    expect(row(first)).toEqual({ row: 0 });
    expect(row(step(first, 1, 0))).toEqual({ row: 1 });
    expect(row(step(first, 0, -1))).toEqual({ row: 2 });
    expect(row(step(first, -1, 0))).toEqual({ row: 3 });
    expect(row(step(step(first, 1, 0), 1, 0))).toEqual({ row: 1 });
  });

  test("counts every category and every pair of phase and prediction", () => {
    const { by, confusion, points } = plot([
      at(0, 0, 0),
      at(0, 0, 0, { predicted: "dormant", cluster: 9 }),
      at(1, 1, 1, { phase: "dormant", predicted: "dormant" }),
    ]).counts();
    expect(points).toBe(3);
    expect([...by.phase.subarray(0, 5)]).toEqual([2, 0, 0, 0, 1]);
    expect([...by.predicted.subarray(0, 5)]).toEqual([1, 0, 0, 0, 2]);
    expect([...by.verdict.subarray(0, 2)]).toEqual([2, 1]);
    expect(by.cluster[9]).toBe(1);
    expect([confusion[0], confusion[4], confusion[24]]).toEqual([1, 1, 1]);
  });

  test("counts the single points as they are now, beside the snapshot", () => {
    const made = plot([at(0, 0, 0), at(0, 0, 0)]);
    made.place(pack([at(0, 0, 0, { phase: "armed" }), at(0, 0, 0)]), [1, 2]);
    made.place(pack([at(0, 0, 0, { phase: "armed" })]), [1]);
    expect(made.counts().points).toBe(3);
    expect([...made.counts().by.phase.subarray(0, 2)]).toEqual([2, 1]);
    made.load(pack([at(0, 0, 0)]));
    expect([...made.counts().by.phase.subarray(0, 2)]).toEqual([1, 1]);
  });

  test("lists rows in the order of the snapshot", () => {
    const points = Array.from({ length: 50 }, (_, i) => at((i * 7) % 50 / 50, 0.5, 0.5, { cluster: i }));
    expect(plot(points).rows(10, 14).map((point) => point.cluster)).toEqual([10, 11, 12, 13]);
    expect(plot(points).rows(48, 60)).toHaveLength(2);
  });

  test("a share of the points is drawn while the camera moves", () => {
    const points = Array.from({ length: 100_000 }, (_, i) => at((i % 317) / 317, ((i / 317) | 0) / 317, 0.5));
    const some = count(plot(points).render(0.25, false), RED);
    const all = count(plot(points).render(1, false), RED);
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(all);
  });

  test("an empty plot is its background and the lines of its room", () => {
    const made = new Plot(10);
    made.resize(100, 100, 1);
    made.colour("phase", null, look);
    made.aim(home);
    const pixels = made.render(1, false);
    expect(count(pixels, LINE)).toBeGreaterThan(100);
    expect(count(pixels, LINE) + count(pixels, BLACK)).toBe(pixels.length);
    expect(made.edges()).toHaveLength(9);
    expect(made.pick(50, 50, 100)).toBeNull();
  });
});

test("halving averages squares of four pixels, byte by byte", () => {
  const into = new Uint32Array(1);
  halve(Uint32Array.of(0xff000000, 0xffffffff, 0xff000000, 0xffffffff), 2, 2, into);
  expect([into[0]! & 255, (into[0]! >>> 8) & 255, into[0]! >>> 24]).toEqual([127, 127, 255]);
});
