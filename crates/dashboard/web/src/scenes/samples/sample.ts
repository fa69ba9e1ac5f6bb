import type { Tile } from "../../generated/events";

/** Whether a sample was told rightly: a class may be a number here and its digits there. */
export const isRight = ({ prediction, ground_truth }: Tile): boolean => String(prediction) === String(ground_truth);

/** The address of a picture. What begins as a JPEG does is one; anything else that was let in is a PNG. */
export const picture = ({ image_b64 }: Tile): string =>
  `data:image/${image_b64.startsWith("/9j/") ? "jpeg" : "png"};base64,${image_b64}`;
