"""Measures the embedded store of training runs beside SQLite with a row a point, and ClickHouse's engine (chDB); writes the report.

All get the same points, which `store points` says, and are asked for the same views.
"""

import argparse
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np

MOST = 2_000
VIEWS = 20


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size


def points(store, number, metrics, count):
    """Times, and the values of each metric, of a run."""
    done = subprocess.run([store, "points", str(number), str(metrics), str(count)], stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, "<f8").reshape(1 + metrics, count)


def timed(work):
    start = time.perf_counter()
    answer = work()
    return 1e3 * (time.perf_counter() - start), answer


def views(work, times=VIEWS):
    took = sorted(timed(lambda number=number: work(number))[0] for number in range(times))
    return {"median_ms": statistics.median(took), "slowest_ms": took[-1]}


class Vitrine:
    name = "vitrine"

    def __init__(self, arguments):
        self.a, self.folder = arguments, arguments.work / "vitrine"

    def say(self, *command):
        done = subprocess.run([self.a.store, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True)
        return {line["what"]: line for line in map(json.loads, done.stdout.splitlines())}

    def measure(self):
        runs, metrics, count = self.a.runs, self.a.metrics, self.a.points
        said = self.say("append", self.folder, runs, metrics, count)
        yield "append", {"points_per_s": said["append"]["points_per_s"]}
        yield "bytes", {"a_point": said["append"]["bytes_per_point"]}
        said = self.say("ask", self.folder, runs, metrics, count)
        yield "restart", {"ms": said["restart"]["ms"]}
        yield "view", {key: said["view"][key] for key in ("median_ms", "slowest_ms")}
        yield "page", self.page()
        said = self.say("long", self.folder, self.a.long)
        for what in ("long view", "zoomed view"):
            yield what, {key: said[what][key] for key in ("median_ms", "slowest_ms")}

    def page(self):
        """From the connect of a page to the last byte of its first snapshot, through the broadcaster; and how long it takes to start."""
        command = [self.a.broadcaster, "serve", "--listen", "127.0.0.1:0", "--no-state", "--runs-store", self.folder]
        start = time.perf_counter()
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            line = next(line for line in server.stderr if "listening on" in line)
            started = 1e3 * (time.perf_counter() - start)
            host, port = line.split("://")[1].split(" ")[0].split(":")
            took = [snapshot(host, int(port)) for _ in range(6)]
            server.terminate()
        ms = [ms for ms, _ in took]
        return {"first_ms": ms[0], "median_ms": statistics.median(ms[1:]), "bytes": took[0][1], "started_ms": started}


def snapshot(host, port):
    start = time.perf_counter()
    with socket.create_connection((host, port)) as page:
        page.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        read, tail = 0, b""
        while True:
            some = page.recv(1 << 20)
            read += len(some)
            # The blank line after the snapshot's data; chunks end in others.
            if read > 2_000 and b"}\n\n" in tail + some:
                return 1e3 * (time.perf_counter() - start), read
            tail = some[-4:]


class Sqlite:
    """A row a point, in the order of its series; written ahead, each transaction on disk."""

    name = "sqlite"

    def __init__(self, arguments):
        self.a, self.path = arguments, arguments.work / "runs.sqlite"
        self.db = sqlite3.connect(self.path)
        self.db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
            "CREATE TABLE points (series INTEGER, step INTEGER, time REAL, value REAL, PRIMARY KEY (series, step, time)) WITHOUT ROWID"
        )

    def insert(self, rows):
        with self.db:
            self.db.executemany("INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?)", rows)

    def measure(self):
        a, took = self.a, 0.0
        for first in range(0, a.runs, 4):
            runs = range(first, min(first + 4, a.runs))
            tables = {run: points(a.store, run, a.metrics, a.points) for run in runs}
            for step in range(0, a.points, 10):
                # Ten steps of four trainers, as the broadcaster writes what comes at once.
                rows = [
                    (run * a.metrics + metric, 10 * at, table[0, at].item(), table[1 + metric, at].item())
                    for run, table in tables.items()
                    for metric in range(a.metrics)
                    for at in range(step, min(step + 10, a.points))
                ]
                took += timed(lambda rows=rows: self.insert(rows))[0] / 1e3
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield "append", {"points_per_s": a.runs * a.metrics * a.points / took}
        yield "bytes", {"a_point": size(self.path) / (a.runs * a.metrics * a.points)}
        yield "view", views(lambda number: self.view(number * a.metrics + number % a.metrics, 10 * a.points))
        yield "page", {"first_ms": timed(lambda: self.page())[0]}
        table = points(a.store, 1_000_000, 1, a.long)
        series = a.runs * a.metrics
        self.insert((series, 10 * at, table[0, at].item(), table[1, at].item()) for at in range(a.long))
        yield "long view", views(lambda _: self.view(series, 10 * a.long), 5)
        yield "zoomed view", views(lambda tenth: self.view(series, a.long, tenth * a.long), 10)

    def view(self, series, steps, first=0):
        width = max(1, steps // (MOST // 4))
        sql = (
            "SELECT step / ?, min(step), max(step), min(value), max(value) FROM points WHERE series = ? AND step >= ? AND step < ? GROUP BY 1"
        )
        return self.db.execute(sql, (width, series, first, first + steps)).fetchall()

    def page(self):
        width = max(1, 10 * self.a.points // 128)
        return self.db.execute(
            "SELECT series, step / ?, min(step), max(step), min(value), max(value) FROM points GROUP BY 1, 2", (width,)
        ).fetchall()


class ChDb:
    """The table of the training dashboards; a hundred thousand rows an insert, as async_insert gathers them."""

    name = "chdb"

    def __init__(self, arguments):
        from chdb.session import Session

        self.a, self.folder = arguments, arguments.work / "chdb"
        self.session = Session(str(self.folder))
        self.session.query("CREATE DATABASE runs")
        self.session.query(
            "CREATE TABLE runs.metric_points (event_time DateTime64(3) DEFAULT now64(3), run_id LowCardinality(String),"
            " host LowCardinality(String) DEFAULT '', rank UInt32 DEFAULT 0, device UInt16 DEFAULT 65535, step UInt64 DEFAULT 0,"
            " metric LowCardinality(String), value Float64, unit LowCardinality(String) DEFAULT '', tags_json String DEFAULT '')"
            " ENGINE = MergeTree PARTITION BY toYYYYMM(event_time) ORDER BY (run_id, metric, host, rank, device, step, event_time)"
        )

    def insert(self, run, table, steps):
        """Rows of a run, all metrics of these steps, out of a file as they come over HTTP."""
        kind = np.dtype([("time", "<i8"), ("step", "<u8"), ("metric", "u1"), ("value", "<f8")])
        metrics = len(table) - 1
        rows = np.empty(metrics * len(steps), kind)
        rows["time"] = np.tile((table[0, steps] * 1e3 + 0.5).astype("<i8"), metrics)
        rows["step"] = np.tile(10 * np.asarray(steps), metrics)
        rows["metric"] = np.repeat(np.arange(metrics), len(steps))
        rows["value"] = table[1:, steps].ravel()
        file = self.a.work / "rows"
        rows.tofile(file)
        sql = (
            f"INSERT INTO runs.metric_points (event_time, run_id, step, metric, value) SELECT fromUnixTimestamp64Milli(time), 'run-{run:03}', step,"
            f" concat('metric/', leftPad(toString(metric), 2, '0')), value FROM file('{file}', RowBinary, 'time Int64, step UInt64, metric UInt8, value Float64')"
        )
        return timed(lambda: self.session.query(sql))[0] / 1e3

    def measure(self):
        a, took = self.a, 0.0
        together = max(1, 100_000 // a.metrics)
        for run in range(a.runs):
            table = points(a.store, run, a.metrics, a.points)
            for first in range(0, a.points, together):
                took += self.insert(run, table, range(first, min(first + together, a.points)))
        yield "append", {"points_per_s": a.runs * a.metrics * a.points / took}
        self.session.query("OPTIMIZE TABLE runs.metric_points FINAL")
        sql = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'metric_points'"
        yield "bytes", {"a_point": int(self.session.query(sql, "TabSeparated").bytes()) / (a.runs * a.metrics * a.points)}
        yield "view", views(lambda number: self.view(f"run-{number % a.runs:03}", f"metric/{number % a.metrics:02}", 10 * a.points))
        yield "page", {"first_ms": timed(lambda: self.page())[0]}
        table = points(a.store, 1_000_000, 1, a.long)
        for first in range(0, a.long, 100_000):
            self.insert(1_000_000, table, range(first, min(first + 100_000, a.long)))
        yield "long view", views(lambda _: self.view("run-1000000", "metric/00", 10 * a.long))
        yield "zoomed view", views(lambda tenth: self.view("run-1000000", "metric/00", a.long, tenth * a.long), 10)

    def view(self, run, metric, steps, first=0):
        width = max(1, steps // (MOST // 4))
        return self.session.query(
            f"SELECT intDiv(step, {width}), min((step, event_time, value)), max((step, event_time, value)), min((value, step)), max((value, step))"
            f" FROM runs.metric_points WHERE run_id = '{run}' AND metric = '{metric}' AND step >= {first} AND step < {first + steps} GROUP BY 1",
            "RowBinary",
        ).bytes()

    def page(self):
        width = max(1, 10 * self.a.points // 128)
        return self.session.query(
            f"SELECT run_id, metric, intDiv(step, {width}), min((step, event_time, value)), max((step, event_time, value)), min((value, step)),"
            " max((value, step)) FROM runs.metric_points GROUP BY 1, 2, 3",
            "RowBinary",
        ).bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--metrics", type=int, default=50)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--broadcaster", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    results = {}
    for store in (Vitrine, ChDb, Sqlite):
        shutil.rmtree(arguments.work, ignore_errors=True)
        arguments.work.mkdir(parents=True)
        for what, said in store(arguments).measure():
            results[store.name, what] = said
            print(json.dumps({"store": store.name, "what": what, **said}), flush=True)
    shutil.rmtree(arguments.work)
    arguments.out.write_text(report(arguments, results))


def report(arguments, results):
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    total = arguments.runs * arguments.metrics * arguments.points
    stores = ["vitrine", "chdb", "sqlite"]

    def row(title, what, field, form):
        cells = [form(results[store, what][field]) if field in results.get((store, what), {}) else "" for store in stores]
        return f"| {title} | {' | '.join(cells)} |"

    def number(value):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    page, restart = results["vitrine", "page"], results["vitrine", "restart"]
    return "\n".join(
        [
            "# Training runs: measurements",
            "",
            f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}, {time.strftime('%Y-%m-%d')}; SQLite {sqlite3.sqlite_version}, chDB as in"
            " `crates/runs/tests/runs/server.requirements.txt`.",
            "",
            f"Written by `scripts/bench runs`: {arguments.runs} runs of {arguments.metrics} metrics with {arguments.points:,} points each, {total:,} points, and one series"
            f" of {arguments.long:,}. All three get the same points (`crates/runs/benches/store.rs` says what they are like), one store after the other, alone.",
            "",
            "- Vitrine's store is given ten steps of all metrics at a time by four trainers at once; a write is on disk before it is acknowledged.",
            "- SQLite has a row a point in the order of its series, and gets the same forty steps in a transaction, which is on disk when it ends; only its own time is counted.",
            "- chDB, the engine of ClickHouse, has the table of the training dashboards, and gets 100,000 rows an insert, which it does not sync; it was merged before it was asked.",
            "",
            "Asked for the same buckets, the others answer with the extremes of each and do not write JSON.",
            "",
            "| | Vitrine | chDB | SQLite |",
            "|---|---|---|---|",
            row("points appended a second", "append", "points_per_s", number),
            row("bytes a point on disk", "bytes", "a_point", lambda value: f"{value:.2f}"),
            row(f"a series of {arguments.points:,} points in {MOST:,}, ms", "view", "median_ms", number),
            row("slowest", "view", "slowest_ms", number),
            row(f"a series of {arguments.long:,} points in {MOST:,}, ms", "long view", "median_ms", number),
            row("slowest", "long view", "slowest_ms", number),
            row("a tenth of it, ms", "zoomed view", "median_ms", number),
            row("slowest", "zoomed view", "slowest_ms", number),
            row(f"what a page draws of all {arguments.runs * arguments.metrics:,} series, the first time, ms", "page", "first_ms", number),
            "",
            f"The store opens in {number(restart['ms'])} ms, and the broadcaster listens {number(page['started_ms'])} ms after its start, with all series in the hub. From there a page gets"
            f" all of them, {page['bytes'] / 1e6:,.0f} MB over loopback, in {number(page['median_ms'])} ms.",
            "",
        ]
    )


main()
