import { param, setParam } from "../view/address";

/** Moves through a row of options by keyboard; which one is chosen stands in the address. */
export function cursor(name: string, ids: readonly string[]) {
  const chosen = param(name);
  const at = chosen === undefined ? -1 : ids.indexOf(chosen);
  const choose = (id: string | undefined) => setParam(name, id);
  return {
    /** Its place, or -1. */
    at,
    chosen: at >= 0 ? chosen : undefined,
    choose,
    /** Goes on the element with role listbox. */
    onKeyDown(event: KeyboardEvent) {
      const to: Record<string, number | undefined> = {
        ArrowDown: at + 1,
        ArrowRight: at + 1,
        ArrowUp: at < 0 ? ids.length - 1 : at - 1,
        ArrowLeft: at < 0 ? ids.length - 1 : at - 1,
        Home: 0,
        End: ids.length - 1,
      };
      const next = to[event.key];
      if (event.key === "Escape" && at >= 0) {
        choose(undefined);
        event.stopPropagation();
      } else if (next !== undefined) {
        const place = Math.max(0, Math.min(ids.length - 1, next));
        choose(ids[place]);
        const listbox = event.currentTarget as Element;
        listbox.querySelectorAll("[role=option]")[place]?.scrollIntoView({ block: "nearest", inline: "nearest" });
        event.preventDefault();
      }
    },
  };
}
