"""Measures the feeders beside a script that works as those before Vitrine did (bench-feeders/original.py), and writes the report.

Both are measured as whole processes, from their start to what they print. Work that repeats is measured by the processor
time of our process over many rounds, and by what a round takes the script that runs already.
"""

import argparse
import json
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent / "bench-feeders"
INDEX_LINES, EPISODES, TAIL_LINES = 76_000, 500, 1_000_000
# Of what is repeated: how often, and for how long.
ROUNDS_MS, ROUNDS_S = 100, 10


def index(path, lines):
    """An index of about 300 bytes a line."""
    numbers = random.Random(0)
    with open(path, "w") as out:
        for n in range(lines):
            line = {
                "episode_id": f"rack-{n % 40:02}-cpu-saturate-20260301T{n:09}",
                "host_id": f"rack-{n % 40:02}",
                "sha256": f"{numbers.getrandbits(256):064x}",
                "size_bytes": numbers.randrange(10_000, 90_000),
                "received_at_wall": f"2026-03-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
                "received_from": f"10.0.{n % 40}.7",
                "receiver": "receiver-01 with a few words of its own",
            }
            out.write(json.dumps(line) + "\n")


def episodes(sample, root, count):
    """So many tarballs, out of those of the sample."""
    tarballs = sorted(sample.glob("episodes/*/*.tar.zst"))
    for n in range(count):
        tarball = tarballs[n % len(tarballs)]
        folder = root / "episodes" / tarball.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(tarball, folder / f"{n:04}-{tarball.name}")


def original(*arguments):
    """How long the script took as a process and as a round of it, and what it said."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, HERE / "original.py", *map(str, arguments)], capture_output=True, text=True, check=True)
    took, said = 1e3 * (time.perf_counter() - start), json.loads(done.stdout)
    return took, said["ms"], said["said"]


class Feeders:
    """A process of ours that prints what it would publish."""

    def __init__(self, binary, root, *arguments):
        self.folder = tempfile.mkdtemp(prefix="bench-feeders-")
        command = [binary, "run", "--data-root", root, "--checkpoint-dir", self.folder, "--log-level", "warn", *arguments]
        self.start = time.perf_counter()
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def first(self):
        said = json.loads(self.process.stdout.readline())
        return 1e3 * (time.perf_counter() - self.start), said

    def processor_ms(self):
        """Of all its threads, those that ended too; in ticks of 10 ms."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def a_round_ms(self):
        """What a round takes that finds nothing new."""
        self.first()
        time.sleep(3)
        before, start = self.processor_ms(), time.perf_counter()
        time.sleep(ROUNDS_S)
        return (self.processor_ms() - before) / ((time.perf_counter() - start) / (ROUNDS_MS / 1e3))

    def peak_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def same(ours, theirs, fields):
    for field in fields:
        one, other = ours[field], theirs[field]
        near = one == other or (isinstance(one, dict) and one.keys() == other.keys() and all(abs(one[k] - other[k]) <= 1e-6 * abs(one[k]) for k in one))
        if not near:
            sys.exit(f"{field} differs: {str(one)[:200]} and {str(other)[:200]}")


def measure(arguments, work):
    feeders, times = arguments.feeders, arguments.times
    rows = {}
    root = work / "root"
    root.mkdir()
    index(root / "index.jsonl", INDEX_LINES)
    (root / "alerts.jsonl").touch()
    size = (root / "index.jsonl").stat().st_size / 2**20
    ours, theirs, rounds = [], [], []
    for _ in range(times):
        with Feeders(feeders, root, "--only", "snapshot", "--dry-run") as one:
            took, said = one.first()
        ours.append(took)
        took, a_round, other = original("snapshot", root / "index.jsonl")
        theirs.append(took)
        rounds.append(a_round)
        same(said, other, ["total_episodes", "total_bytes", "host_counts"])
    rows[f"first snapshot: {INDEX_LINES:,} lines, {size:.0f} MiB"] = (ours, theirs)
    episodes(arguments.sample, root, EPISODES)
    with Feeders(feeders, root, "--only", "snapshot", "--dry-run", "--snapshot-interval", f"{ROUNDS_MS}ms") as one:
        rows["a later snapshot with nothing new, processor time"] = ([one.a_round_ms()], rounds)

    ours, theirs, rounds = [], [], []
    for _ in range(times):
        with Feeders(feeders, root, "--only", "phase-mix", "--dry-run") as one:
            took, said = one.first()
        ours.append(took)
        took, a_round, other = original("mix", root, EPISODES)
        theirs.append(took)
        rounds.append(a_round)
        same(said, other, ["counts", "weighted_seconds"])
    rows[f"phase mix of {EPISODES} episodes, cold"] = (ours, theirs)
    with Feeders(feeders, root, "--only", "phase-mix", "--dry-run", "--phase-mix-interval", f"{ROUNDS_MS}ms") as one:
        rows["the same, warm, processor time"] = ([one.a_round_ms()], rounds)
    return rows, tail(arguments, work)


def tail(arguments, work):
    """A million lines that are there, published and acknowledged, as fast as it goes."""
    long = work / "long"
    long.mkdir()
    index(long / "index.jsonl", TAIL_LINES)
    (long / "alerts.jsonl").touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wall = subprocess.Popen(
        [arguments.broadcaster, "serve", "--no-state", "--listen", f"127.0.0.1:{port}", "--log-level", "warn"]
    )
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{port}"
        rates, peak = [], 0
        for _ in range(arguments.times):
            empty = {"type": "snapshot", "total_alerts": 0, "total_episodes": 0, "total_bytes": 0, "host_counts": {}, "recent_episodes": [], "index_offset": 0}
            body = json.dumps(empty).encode()
            urllib.request.urlopen(urllib.request.Request(f"{url}/publish", body, {"Content-Type": "application/json"})).read()
            with Feeders(arguments.feeders, long, "--from-start", "--only", "index", "--publish-url", f"{url}/publish") as one:
                while True:
                    state = json.load(urllib.request.urlopen(f"{url}/state/snapshot"))
                    done = state["events"][0]["total_episodes"] if state["events"] else 0
                    if done >= TAIL_LINES:
                        break
                    time.sleep(0.05)
                rates.append(TAIL_LINES / (time.perf_counter() - one.start))
                peak = max(peak, one.peak_mib())
            if done != TAIL_LINES:
                sys.exit(f"{done} episodes for {TAIL_LINES} lines")
        return rates, peak
    finally:
        wall.kill()
        wall.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("feeders", "broadcaster", "sample", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-feeders-") as work:
        rows, (rates, peak) = measure(arguments, Path(work))
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    text = [
        "# The feeders: measurements",
        f"{model[0].split(':')[1].strip() if model else os.uname().machine}, {os.cpu_count()} cores, Linux {os.uname().release}, "
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}.",
        "Written by `scripts/bench feeders`, beside a script that works as the feeders before Vitrine did (`scripts/bench-feeders/original.py`): "
        "the whole index line by line for every snapshot, a zstd process an episode for the phase mix. Both say the same numbers. "
        f"The first time is that of a whole process, from its start to what it prints; a later one of the script is a round of it. Medians of {arguments.times}, in turn.",
        "| | feeders, ms | script, ms | times faster |\n|---|---|---|---|",
    ]
    for name, (ours, theirs) in rows.items():
        one, other = statistics.median(ours), statistics.median(theirs)
        times = f"{other / one:,.0f}" if one else "-"
        text[-1] += f"\n| {name} | {f'{one:.3g}' if one else '< 0.1'} | {other:,.0f} | {times} |"
    text += [
        f"**{TAIL_LINES:,} lines** of an index, each published as an `episode` to a broadcaster on the same machine, acknowledged and written down: "
        f"{statistics.median(rates):,.0f} a second. The feeder's memory was {peak:.0f} MiB at most."
    ]
    arguments.out.write_text("\n\n".join(text) + "\n")


main()
