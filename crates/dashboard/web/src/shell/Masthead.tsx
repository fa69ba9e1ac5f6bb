import { ago, clock } from "../format/time";
import { choices, current } from "../scenes";
import { store } from "../state/store";
import { param, setParam } from "../view/address";
import { now } from "../view/now";
import { choose, contrast, THEMES, theme } from "../view/theme";

/** How a phase of the connection is called. */
export const said = { connecting: "Connecting", "catching-up": "Catching up", live: "Live", reconnecting: "Reconnecting" };

export function Masthead() {
  return (
    <header class="masthead">
      <h1>Vitrine</h1>
      <Views />
      <Connection />
      <fieldset class="choice">
        <legend class="unseen">Theme</legend>
        {THEMES.map((name) => (
          <label key={name}>
            <input type="radio" name="theme" checked={theme.value === name} onChange={() => choose("theme", name)} />
            <span>{name[0]?.toUpperCase() + name.slice(1)}</span>
          </label>
        ))}
      </fieldset>
      <button
        type="button"
        class="contrast"
        aria-pressed={contrast.value}
        onClick={() => choose("contrast", contrast.value ? "normal" : "more")}
      >
        Contrast
      </button>
    </header>
  );
}

/** What one can look at, where there is more than one thing. */
function Views() {
  if (choices.value.length < 2) return null;
  return (
    <fieldset class="choice views">
      <legend class="unseen">View</legend>
      {choices.value.map(({ id, title }) => (
        <label key={id}>
          <input type="radio" name="view" checked={param("scene") === undefined && current.value.id === id} onChange={() => look(id)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}

function look(view: string) {
  setParam("scene", undefined);
  setParam("view", view);
}

/** How the page stands to its broadcaster. Only a change of phase is announced, not each second of its age. */
function Connection() {
  const { phase, heard, retry, barred } = store.status.value;
  return (
    <div class="connection" data-phase={phase}>
      <span class="lamp" aria-hidden="true" />
      <strong role="status">{said[phase]}</strong>
      <span class="age">
        {phase === "live" && heard !== null && `last heard ${ago(heard, now.value)}`}
        {phase === "reconnecting" && heard !== null && `showing what was known at ${clock(heard)}`}
        {phase !== "live" && retry !== null && `${phase === "reconnecting" ? ", " : ""}next try in ${wait(retry)}`}
        {barred && "; it asks for a view token: open the address with the token again"}
      </span>
    </div>
  );
}

const wait = (due: number) => `${Math.max(0, Math.ceil((due - now.value) / 1000))} s`;
