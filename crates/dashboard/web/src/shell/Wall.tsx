import { useEffect } from "preact/hooks";
import { current, scenes, views } from "../scenes";
import { received } from "../scenes/received";
import { store } from "../state/store";
import { param, setParam } from "../view/address";
import { Masthead } from "./Masthead";
import { Plate } from "./Plate";

/** The whole page: every scene of a view, or one alone. */
export function Wall() {
  const alone = [...scenes, received].find((scene) => scene.id === param("scene"));
  useEffect(() => {
    if (alone === undefined) return;
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape") setParam("scene", undefined);
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, [alone]);
  const view = current.value;
  const rest = view === views[0] && received.filled.value ? [received] : [];
  const shown = alone === undefined ? [...view.scenes, ...rest] : [alone];
  return (
    <>
      <Masthead />
      <main class={alone === undefined ? `wall ${view.id}-view` : "wall alone"} data-old={store.old.value !== null}>
        {shown.map((scene) => (
          <Plate key={scene.id} scene={scene} alone={scene === alone} />
        ))}
      </main>
    </>
  );
}
