import type { Status } from "../link/status";
import { said } from "./Masthead";

/** Says how the link stands in the tab's title: at once, since a hidden tab draws no frames but its title is seen. */
export function entitle({ phase }: Status): void {
  const title = phase === "live" ? "Vitrine" : `${said[phase]} · Vitrine`;
  if (document.title !== title) document.title = title;
}
