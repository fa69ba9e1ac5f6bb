import { useErrorBoundary } from "preact/hooks";
import { clock } from "../format/time";
import type { Scene } from "../scenes/scene";
import { store } from "../state/store";
import { param, setParam } from "../view/address";
import { Empty } from "./Empty";

/** A scene in its frame: title, what the numbers mean, chart or table. */
export function Plate({ scene, alone }: { scene: Scene; alone: boolean }) {
  const tables = (param("table") ?? "").split(",").filter((id) => id !== "");
  const table = scene.Table !== undefined && tables.includes(scene.id);
  const filled = scene.filled.value;
  const toggle = () => {
    const next = table ? tables.filter((id) => id !== scene.id) : [...tables, scene.id];
    setParam("table", next.length === 0 ? undefined : next.join());
  };
  const old = store.old.value;
  return (
    <section class={`plate plate-${scene.id}`} aria-labelledby={`title-${scene.id}`} data-filled={filled}>
      <header>
        <h2 id={`title-${scene.id}`}>{scene.title}</h2>
        <p class="caption">{scene.caption}</p>
        <div class="tools">
          {old !== null && filled && <span class="as-of">as of {clock(old)}</span>}
          {filled && scene.Table && (
            <button type="button" aria-pressed={table} onClick={toggle}>
              Table<span class="unseen"> of {scene.title}</span>
            </button>
          )}
          <button type="button" onClick={() => setParam("scene", alone ? undefined : scene.id)}>
            {alone ? "Whole wall" : "Enlarge"}
            <span class="unseen">{alone ? ` instead of ${scene.title}` : ` ${scene.title}`}</span>
          </button>
        </div>
      </header>
      <div class="exhibit">
        {filled ? <Exhibit key={`${table}`} scene={scene} table={table} /> : <Empty {...scene.empty} />}
      </div>
    </section>
  );
}

/** What goes wrong in one scene stays in it. */
function Exhibit({ scene: { Chart, Table }, table }: { scene: Scene; table: boolean }) {
  const [error, retry] = useErrorBoundary();
  if (error) {
    return (
      <div class="empty" role="alert">
        <p>This scene could not be drawn: {error instanceof Error ? error.message : String(error)}</p>
        <button type="button" onClick={retry}>
          Try again
        </button>
      </div>
    );
  }
  return table && Table !== undefined ? <Table /> : <Chart />;
}
