/** Where a cube of side 1 is looked at from. Angles in degrees. */
export interface Camera {
  yaw: number;
  pitch: number;
  /** 1 shows the whole cube. */
  zoom: number;
  /** The place of the cube that it turns around, in the middle of the picture. */
  centre: Place;
}

export type Place = readonly [x: number, y: number, z: number];

const middle: Place = [0.5, 0.5, 0.5];

export const home: Camera = { yaw: -32, pitch: 20, zoom: 1, centre: middle };

/** The eye's distance from what it looks at, in sides of the cube: a long lens, so that sizes stay comparable. */
const DISTANCE = 5;

/**
 * A perspective projection: with `q = q0 x + q1 y + q2 z + q3`, a point is at `((x0 x + x1 y + x2 z + x3) / q + cx, ...)`, and its depth is
 * `q * depth + depth0` in [0, 1), near to far. Coordinates are in 0..1.
 */
export interface Projection {
  x: readonly [number, number, number, number];
  y: readonly [number, number, number, number];
  q: readonly [number, number, number, number];
  cx: number;
  cy: number;
  depth: number;
  depth0: number;
}

export function projection({ yaw, pitch, zoom, centre }: Camera, width: number, height: number): Projection {
  const [ca, sa] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  const [cp, sp] = [Math.cos((pitch * Math.PI) / 180), Math.sin((pitch * Math.PI) / 180)];
  const scale = zoom * Math.min(width * 0.64, height * 0.57);
  // Right, down and away, of a point measured from the centre.
  const right = [ca, 0, sa] as const;
  const down = [-sa * sp, -cp, ca * sp] as const;
  const away = [sa * cp, -sp, -ca * cp] as const;
  const affine = (row: readonly [number, number, number], factor: number, constant: number) => {
    const [a, b, c] = [row[0] * factor, row[1] * factor, row[2] * factor];
    return [a, b, c, constant - (a * centre[0] + b * centre[1] + c * centre[2])] as const;
  };
  // No corner is farther from the centre than this, and a little more for rounding.
  const reach = 1.005 * Math.hypot(...centre.map((at) => Math.max(at, 1 - at)));
  return {
    x: affine(right, scale, 0),
    y: affine(down, scale, 0),
    q: affine(away, 1 / DISTANCE, 1),
    cx: width / 2,
    cy: height / 2,
    depth: DISTANCE / (2 * reach),
    depth0: 0.5 - DISTANCE / (2 * reach),
  };
}

/** Screen position and depth of one place. */
export function project(p: Projection, x: number, y: number, z: number): { x: number; y: number; depth: number } {
  const q = p.q[0] * x + p.q[1] * y + p.q[2] * z + p.q[3];
  return {
    x: (p.x[0] * x + p.x[1] * y + p.x[2] * z + p.x[3]) / q + p.cx,
    y: (p.y[0] * x + p.y[1] * y + p.y[2] * z + p.y[3]) / q + p.cy,
    depth: q * p.depth + p.depth0,
  };
}

const MIN_ZOOM = 0.5;
const MAX_ZOOM = 40;

/** The camera turned by a drag, in degrees; it never turns over. */
export function turned(camera: Camera, yaw: number, pitch: number): Camera {
  return {
    ...camera,
    yaw: ((((camera.yaw + yaw + 180) % 360) + 360) % 360) - 180,
    pitch: Math.max(-90, Math.min(90, camera.pitch + pitch)),
  };
}

export function zoomed(camera: Camera, factor: number): Camera {
  return { ...camera, zoom: Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, camera.zoom * factor)) };
}

/** The way from one camera to another, `t` from 0 to 1; it turns the shorter way round. */
export function between(from: Camera, to: Camera, t: number): Camera {
  const mix = (a: number, b: number) => a + (b - a) * t;
  const turn = ((((to.yaw - from.yaw + 180) % 360) + 360) % 360) - 180;
  return {
    yaw: turned(from, turn * t, 0).yaw,
    pitch: mix(from.pitch, to.pitch),
    zoom: from.zoom * (to.zoom / from.zoom) ** t,
    centre: [mix(from.centre[0], to.centre[0]), mix(from.centre[1], to.centre[1]), mix(from.centre[2], to.centre[2])],
  };
}

/** `-32,20,1`, as it stands in an address; the centre follows where it is not the middle. */
export function writeCamera({ yaw, pitch, zoom, centre }: Camera): string {
  const place = centre.every((at) => at === 0.5) ? [] : centre.map((at) => at.toFixed(3));
  return [yaw.toFixed(0), pitch.toFixed(0), String(Number(zoom.toFixed(2))), ...place].join();
}

/** Anything that is no camera is the home position. */
export function readCamera(text: string | undefined): Camera {
  const numbers = (text ?? "").split(",").map((part) => (part === "" ? Number.NaN : Number(part)));
  const [yaw = 0, pitch = 0, zoom = 1, x = 0.5, y = 0.5, z = 0.5] = numbers;
  if ((numbers.length !== 3 && numbers.length !== 6) || !numbers.every(Number.isFinite)) return home;
  if (![x, y, z].every((at) => at >= 0 && at <= 1)) return home;
  return zoomed(turned({ yaw: 0, pitch: 0, zoom, centre: [x, y, z] }, yaw, pitch), 1);
}
