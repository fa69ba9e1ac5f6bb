import { pixel } from "../../palette/colour";
import type { Command } from "../../points/protocol";
import { store } from "../../state/store";
import { contrast, dark, shade } from "../../view/theme";
import { colouring, only, pairs } from "./colouring";

const axisNames: Record<string, string> = { lda: "LD", pca: "PC", umap: "U" };

/** How the renderer is to paint. Reads signals; colours that the style sheet decides are read off the canvas. */
export function look(canvas: HTMLCanvasElement, ratio: number): Extract<Command, { do: "look" }> {
  const by = colouring();
  // The style sheet's colours change with these.
  void dark.value;
  const style = getComputedStyle(canvas);
  const axis = axisNames[store.newest("embedding_snapshot")?.projector ?? ""] ?? "";
  return {
    do: "look",
    colouring: by,
    only: only(),
    look: {
      colours: pairs[by].map((pair) => pixel(shade(pair))),
      background: pixel(style.backgroundColor),
      line: pixel(style.borderTopColor),
      fog: contrast.value ? 0 : 0.42,
      fade: only() === null ? 0 : 0.86,
    },
    labels: {
      axes: axis === "" ? ["x", "y", "z"] : [`${axis}1`, `${axis}2`, `${axis}3`],
      colour: style.color,
      accent: style.outlineColor,
      font: `${12 * ratio}px ${style.fontFamily}`,
    },
  };
}
