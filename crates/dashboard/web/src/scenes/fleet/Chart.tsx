import { bytes, count } from "../../format/number";
import { ago, moment } from "../../format/time";
import type { Received } from "../../wire/message";
import { cursor } from "../../shell/cursor";
import { store } from "../../state/store";
import { param, setParam } from "../../view/address";
import { now } from "../../view/now";
import { found, has } from "./found";

export function Chart() {
  const snapshot = store.newest("snapshot");
  if (snapshot === undefined) return null;
  return (
    <div class="fleet">
      <Find />
      <Totals snapshot={snapshot} />
      <Hosts snapshot={snapshot} />
      <Episodes snapshot={snapshot} />
    </div>
  );
}

/** Narrows hosts and episodes down to those that have a text in their names. */
function Find() {
  return (
    <label class="find">
      Find
      <input
        type="search"
        placeholder="host, episode or SHA-256"
        value={param("find") ?? ""}
        onInput={({ currentTarget: { value } }) => setParam("find", value === "" ? undefined : value)}
      />
    </label>
  );
}

type Props = { snapshot: Received<"snapshot"> };

function Totals({ snapshot }: Props) {
  const [size, unit] = bytes(snapshot.total_bytes);
  const totals: [string, string, string?][] = [
    ["Episodes", count(snapshot.total_episodes)],
    ["Hosts", count(Object.keys(snapshot.host_counts).length)],
    ["Recorded", size, unit],
    ["Alerts", count(snapshot.total_alerts)],
  ];
  return (
    <dl class="totals">
      {totals.map(([name, value, unit]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {unit && <small> {unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Hosts by their episodes; the one that is chosen narrows the episodes down to its own. */
function Hosts({ snapshot }: Props) {
  const of = new Set(found(snapshot).map(({ host_id }) => host_id));
  const hosts = Object.entries(snapshot.host_counts)
    .filter(([host]) => has(host) || of.has(host))
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const most = Math.max(1, ...hosts.map(([, n]) => n));
  const { listbox, option } = cursor(
    "host",
    hosts.map(([host]) => host),
  );
  return (
    <div class="hosts">
      <h3 id="hosts">Episodes by host</h3>
      <div
        class="rows scroll"
        aria-labelledby="hosts"
        {...listbox}
      >
        {hosts.map(([host, n], i) => (
          <div
            key={host}
            class="bar"
            {...option(i)}
          >
            <span class="name" title={host}>
              {host}
            </span>
            <span class="track">
              <span class="fill" style={{ width: `${(100 * n) / most}%` }} />
            </span>
            <span class="value">
              {count(n)}
              <span class="unseen"> episodes</span>
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

function Episodes({ snapshot }: Props) {
  const { chosen } = cursor("host", Object.keys(snapshot.host_counts));
  const episodes = found(snapshot).filter((episode) => chosen === undefined || episode.host_id === chosen);
  return (
    <div class="episodes">
      <h3 id="episodes">{chosen === undefined ? "Newest episodes" : `Newest episodes of ${chosen}`}</h3>
      {episodes.length === 0 && <p class="waiting">None of the newest {count(snapshot.recent_episodes.length)} is found.</p>}
      <ol class="scroll" tabIndex={0} role="list" aria-labelledby="episodes">
        {episodes.map((episode, i) => {
          const [size, unit] = bytes(episode.size_bytes);
          const received = Date.parse(episode.received_at);
          return (
            <li key={`${episode.episode_id} ${i}`}>
              <time dateTime={episode.received_at} title={moment(received, now.value)}>
                {ago(received, now.value)}
              </time>
              <span class="name" title={episode.episode_id}>
                {episode.episode_id}
              </span>
              <span class="host">{episode.host_id}</span>
              <span class="value">
                {size} <small>{unit}</small>
              </span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
