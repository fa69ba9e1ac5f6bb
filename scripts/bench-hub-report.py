"""The report of `scripts/bench hub`: JSON lines of measurements in, Markdown out.

A line's "group" says what it is of, "server" whose; lines repeat, a run each. The report has their medians, and the
range where it says so. A run that lost an event, or in which the generator was the limit, has "failed" or counts for
nothing: see bench-hub.py.
"""

import argparse
import json
import statistics
from pathlib import Path

OWN = "vitrine"
HERE = Path(__file__).parent / "bench-hub"


class Lines:
    """Measurements of one group."""

    def __init__(self, lines, group):
        self.lines = [line for line in lines if line["group"] == group]

    def where(self, **values):
        some = Lines([], None)
        some.lines = [line for line in self.lines if all(line.get(key) == value for key, value in values.items())]
        return some

    def servers(self):
        return list(dict.fromkeys(line["server"] for line in self.lines))

    def good(self):
        return [line for line in self.lines if "failed" not in line]

    def why(self):
        return next((line["failed"] for line in self.lines if "failed" in line), "")

    def median(self, value):
        values = [value(line) for line in self.good()]
        return statistics.median(values) if values else None

    def range(self, value):
        values = [value(line) for line in self.good()]
        return (min(values), max(values)) if values else None


def number(value):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def best_of(line):
    return line["best"]["deliveries_per_s"] if line["best"] else 0


def fanout(lines, raw):
    of = Lines(lines, "fanout")
    limit = raw.median(lambda line: line["writes_per_s"])
    rows, medians = [], {}
    for batch, slowest in ((False, 250), (True, 250), (True, 20)):
        for server in of.where(batch=batch, slowest_ms=slowest).servers():
            runs = of.where(batch=batch, slowest_ms=slowest, server=server)
            median = runs.median(best_of)
            low, high = runs.range(best_of)
            medians[server, batch, slowest] = median
            p99 = runs.median(lambda line: line["best"]["p99_ms"] if line["best"] else float("nan"))
            name = server + (f", batched, p99 within {slowest} ms" if batch else "")
            share = "" if batch else f"{100 * median / limit:.0f} %"
            limits = ", ".join(sorted({line["why"] for line in runs.good()}))
            rows.append([name, number(median), f"{number(low)} to {number(high)}", number(p99), share, limits])
    peers = [value for (server, _, _), value in medians.items() if server != OWN and value]
    text = [
        "## Deliveries to 500 pages",
        "The highest rate at which every page got every event in order, with a p99 within 250 ms where nothing else is said, and what was wrong a little above it: where the "
        "generator was the limit, the server may do more. One event a frame, but where it says batched (`?batch=1`, twenty events a publish); what a "
        "server has for a page at one time it may write at once. The share is of the raw limit: what a loop that only writes 200 bytes to 500 sockets "
        f"reaches in the same runs, {number(limit)} writes a second.",
        table(["server", "deliveries/s, median", "range", "p99 ms", "of the raw limit", "limit"], rows),
    ]
    if peers:
        against = [f"{medians[of] / max(peers):.1f}x" for of in ((OWN, False, 250), (OWN, True, 250), (OWN, True, 20)) if of in medians]
        text.append(f"Against the best of the others, in the order of the table: {', '.join(against)}.")
    return text


def simple(lines, group, title, about, columns):
    """A table with a row for every server."""
    of = Lines(lines, group)
    rows = []
    for server in of.servers():
        runs = of.where(server=server)
        cells = [number(runs.median(value)) for _, value in columns]
        name = server + ("" if len(runs.good()) == len(runs.lines) else f" ({len(runs.good())} of {len(runs.lines)} runs)")
        rows.append([name, *cells] if runs.good() else [name, runs.why(), *[""] * (len(columns) - 1)])
    return [title, about, table(["server", *(name for name, _ in columns)], rows)] if rows else []


def slope(line):
    first, last = line["looks"][0], line["looks"][-1]
    return (last["server_kib"] - first["server_kib"]) / (last["pages"] - first["pages"])


def kernel_slope(line):
    first, last = line["looks"][0], line["looks"][-1]
    return (last["kernel_kib"] - first["kernel_kib"]) / (last["pages"] - first["pages"])


def report(lines):
    raw = Lines(lines, "raw")
    machine = Lines(lines, "machine").lines[-1]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    runs = len(raw.lines)
    text = [
        "# The hub: measurements",
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['date']}. {versions}.",
        "Written by `scripts/bench hub`. The server has core 0, the load generator (`crates/broadcaster/benches/load`, one thread, epoll, raw frames) "
        f"core 1, over loopback; events of 180 bytes, 200 as frames; {runs} runs, in which the servers take turns; every page's events are checked, and time "
        "stamps in them are of when they were due. A run in which the generator is busy for more than 80 % of its core is not counted. It reads what came every 4 ms "
        f"where the highest rate is looked for, every {machine['thousand_look_ms']} ms with 1,000 pages, and at once elsewhere: that is in the latencies. "
        "The machine is a virtual one that shares its cores with others: compare within a row of runs, not between days.",
        *fanout(lines, raw),
        *simple(
            lines, "thousand", "## 1,000 pages, 100 events a second", "",
            [("p50 ms", lambda line: line["p50_ms"]), ("p99 ms", lambda line: line["p99_ms"]),
             ("lost or late pages", lambda line: line["incomplete"]), ("server busy", lambda line: line["server_busy"])],
        ),
        *simple(
            lines, "idle", "## Memory of an idle page", "From 1,000 to 15,000 pages; the kernel's is of both ends.",
            [("KB a page", slope), ("KB of the kernel", kernel_slope)],
        ),
    ]
    joins = Lines(lines, "join")
    rows = []
    for load in (0, 200):
        for server in joins.where(load=load).servers():
            of = joins.where(load=load, server=server)
            name = server + (f", under 500 x {load}/s" if load else "")
            if of.good():
                rows.append([name, number(of.median(lambda line: line["median_ms"])), number(of.median(lambda line: line["max_ms"]))])
            else:
                rows.append([name, of.why(), ""])
    text += [
        "## A page that opens: 10,000 keys, 2 MB",
        "From the connect to the last key; Vitrine's pages batched, as its own page asks for. nchan keeps messages, not the last of a key: it replays 10,000.",
        table(["server", "median ms", "slowest ms"], rows),
        *simple(
            lines, "storm", "## 1,000 pages that open at once, 1 MB each", "",
            [("until all are whole, ms", lambda line: line["median_ms"]), ("extra memory MB", lambda line: line["server_kib"] / 1024)],
        ),
    ]
    for connections, title in ((50, "One event a publish, 50 connections"), (8, "500 events a publish (NDJSON), 8 connections")):
        of = [line for line in lines if line["group"] == "publish" and line["connections"] == connections]
        text += simple(
            of, "publish", f"## {title}", "",
            [("events/s", lambda line: line["events_per_s"]), ("generator busy", lambda line: line["generator_busy"]),
             ("server busy", lambda line: line["server_busy"])],
        )
    stopped = Lines(lines, "stopped")
    none = next((line for line in stopped.good() if not line["stopped"]), None)
    if stopped.lines:
        rows = []
        for line in stopped.lines:
            count = line["stopped"]
            if why := line.get("failed"):
                rows.append([str(count), why, "", "", ""])
                continue
            row = [str(count), str(len(line["turns_p99_ms"])), number(line["p99_ms"]), number(statistics.median(line["turns_p99_ms"]))]
            if count and none:
                # By turns, each beside the one without any.
                more = statistics.median(ours / theirs for ours, theirs in zip(line["turns_p99_ms"], none["turns_p99_ms"])) - 1
                row.append(f"{100 * more:+.1f} %")
            rows.append(row + [""] * (5 - len(row)))
        text += [
            "## Pages that stop reading",
            "Beside 900 that read, at 100 events a second; then they read on, and every page had the last state in the end. The servers run at one time and have the load in"
            " turns of two seconds, as the hours of a shared machine differ by more than what is measured. The generator sets the receive buffer of a page that stops to"
            " 256 KB.",
            table(["stopped", "turns", "p99 ms of the others", "median of the turns' p99, ms", "against none, median of the turns"], rows),
        ]
    memory = Lines(lines, "stopped-memory")
    few, many = memory.where(stopped=0), [count for count in {line["stopped"] for line in memory.good()} if count]
    for count in many if few.good() else []:
        of = memory.where(stopped=count)
        each = lambda what: number((of.median(lambda line: line[what]) - few.median(lambda line: line[what])) / count)
        text.append(
            f"One that stopped costs {each('server_kib')} KB of the process, and {each('kernel_kib')} KB of the kernel, both ends: {number(count)} of them beside 100 that read and 500 events a second,"
            f" for 30 s, against none, medians of {len(of.good())}; all had the last state in the end."
        )
    text += simple(
        lines, "crash", "## Killed at 10,000 publishes a second, 100,000 keys", "`--durability sync`; from the new start of the process until a page has everything.",
        [("ms", lambda line: line["serves_ms"]), ("acknowledged/s before", lambda line: line["acknowledged_per_s"]),
         ("acknowledged and lost", lambda line: line["lost"])],
    )
    text += ["## Configurations", "Vitrine: `broadcaster serve --no-state`, no other flag."]
    for path in sorted(HERE.iterdir()):
        text.append(f"`{path.name}`:\n\n```\n{path.read_text().strip()}\n```")
    return "\n\n".join(part for part in text if part) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    lines = [json.loads(line) for line in arguments.results.read_text().splitlines()]
    arguments.out.write_text(report(lines))


main()
