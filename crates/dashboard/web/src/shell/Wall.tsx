import { useEffect } from "preact/hooks";
import { received } from "../scenes/received";
import { scenes } from "../scenes";
import { store } from "../state/store";
import { param, setParam } from "../view/address";
import { Masthead } from "./Masthead";
import { Plate } from "./Plate";

/** The whole page: every scene, or one alone. */
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
  const shown = alone === undefined ? [...scenes, ...(received.filled.value ? [received] : [])] : [alone];
  return (
    <>
      <Masthead />
      <main class={alone === undefined ? "wall" : "wall alone"} data-old={store.old.value !== null}>
        {shown.map((scene) => (
          <Plate key={scene.id} scene={scene} alone={scene === alone} />
        ))}
      </main>
    </>
  );
}
