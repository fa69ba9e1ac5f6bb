import { useId } from "preact/hooks";
import { param, setParam } from "../view/address";

/** Moves through a list of options by keyboard; which one is chosen stands in the address. */
export function cursor(name: string, ids: readonly string[]) {
  const list = useId();
  const chosen = param(name);
  const at = chosen === undefined ? -1 : ids.indexOf(chosen);
  const choose = (id: string | undefined) => setParam(name, id);
  return {
    chosen: at >= 0 ? chosen : undefined,
    /** What the list is. */
    listbox: {
      role: "listbox",
      tabIndex: 0,
      "aria-activedescendant": at < 0 ? undefined : `${list}-${at}`,
      "data-chosen": at >= 0,
      onKeyDown,
    } as const,
    /** What an option is, by its place. */
    option: (place: number) =>
      ({
        role: "option",
        id: `${list}-${place}`,
        "aria-selected": place === at,
        onClick: () => choose(place === at ? undefined : ids[place]),
      }) as const,
  };

  function onKeyDown(event: KeyboardEvent) {
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
  }
}
