import { ago, moment } from "../../format/time";
import { param, setParam } from "../../view/address";
import { now } from "../../view/now";
import { newest } from "./newest";

export function Chart() {
  const host = param("host");
  const ofHost = newest.value.filter((alert) => alert.host === host);
  // A host without alerts, or one that another scene knows, narrows nothing down.
  const shown = ofHost.length > 0 ? ofHost : newest.value;
  return (
    <div class="alerts">
      {ofHost.length > 0 && (
        <p class="caption">
          Only those of {host}.{" "}
          <button type="button" onClick={() => setParam("host", undefined)}>
            All
          </button>
        </p>
      )}
      <ol class="scroll" tabIndex={0} role="list" aria-label="Alerts, the newest first">
        {shown.map(({ dedup_key, host, symptom, detail, suggested_fix, detected_at }) => {
          const at = Date.parse(detected_at);
          return (
            <li key={dedup_key}>
              <time dateTime={detected_at} title={moment(at, now.value)}>
                {ago(at, now.value)}
              </time>
              <span class="host" title={host}>
                {host}
              </span>
              <p>
                <b>{symptom}</b> {detail}
              </p>
              <p class="fix">{suggested_fix}</p>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
