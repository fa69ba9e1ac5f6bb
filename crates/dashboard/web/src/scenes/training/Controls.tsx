import type { ComponentChildren } from "preact";
import { setParam } from "../../view/address";
import { trouble } from "./history";
import { ACROSS, across, acrossNames, logarithmic, setLogarithmic, smoothing, SPANS, span } from "./settings";

/** How points are drawn: from when on, above what, on which axes, how calmly. */
export function Controls() {
  return (
    <div class="controls">
      <Choice name="Since" of={SPANS.map(({ id, title }) => [id, title])} chosen={span().id} choose={(id) => setParam("span", id === "all" ? undefined : id)} />
      <Choice
        name="Above"
        of={ACROSS.map((id) => [id, acrossNames[id]])}
        chosen={across()}
        choose={(id) => setParam("across", id === "step" ? undefined : id)}
      />
      <fieldset class="choice">
        <legend class="unseen">Logarithmic axes</legend>
        {(["x", "y"] as const).map((axis) => (
          <label key={axis}>
            <input
              type="checkbox"
              checked={logarithmic(axis)}
              disabled={axis === "x" && across() === "time"}
              onChange={({ currentTarget: { checked } }) => setLogarithmic(axis, checked)}
            />
            <span>log {axis}</span>
          </label>
        ))}
      </fieldset>
      <label class="smooth">
        Smooth
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={smoothing()}
          onInput={({ currentTarget: { value } }) => setParam("smooth", Number(value) > 0 ? value : undefined)}
        />
        <output>{smoothing().toFixed(2)}</output>
      </label>
      {trouble() !== undefined && <p role="alert">The past could not be had: {trouble()}; trying again</p>}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  of: readonly (readonly [string, ComponentChildren])[];
  chosen: string;
  choose: (id: string) => void;
}

/** One of several words. */
export function Choice({ name, of, chosen, choose }: ChoiceProps) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{name}</legend>
      {of.map(([id, title]) => (
        <label key={id}>
          <input type="radio" name={name} checked={chosen === id} onChange={() => choose(id)} />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
