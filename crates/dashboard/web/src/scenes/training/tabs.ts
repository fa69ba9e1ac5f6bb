/** Where metrics are looked at, by how their names begin. */
export interface Tab {
  title: string;
  /** Charts, where nothing is said. */
  as?: "charts" | "table" | "bars";
  /** Names begin with one of these. */
  prefixes: readonly string[];
}

/** What fits none of them. */
export const OTHER: Tab = { title: "Other", prefixes: [] };

/** The tab of a metric: the one with the longest beginning that it has. */
export function tabOf(metric: string, tabs: readonly Tab[]): Tab {
  let best = OTHER;
  let length = 0;
  for (const tab of tabs) {
    for (const prefix of tab.prefixes) {
      if (prefix.length > length && metric.startsWith(prefix)) [best, length] = [tab, prefix.length];
    }
  }
  return best;
}
