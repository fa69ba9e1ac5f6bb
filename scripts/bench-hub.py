"""Measures the hub side by side with servers that a person would take instead, for `scripts/bench hub`.

Every server has core 0 and the load generator core 1; they take turns. A run counts only if every page got every
event, in order and once, and if the generator was not the limit. What is measured is printed as JSON
lines, which bench-hub-report.py reads.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent / "bench-hub"
SERVER_CORE, GENERATOR_CORE = "0", "1"
# Above this share of its core the generator is the limit.
BUSIEST_GENERATOR = 0.8
SLOWEST_MS = 20
SUBSCRIBERS = 500
# From one rate to the next while it goes well, and how often the gap is halved then.
STEP, HALVINGS = 1.6, 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, command):
    return ["taskset", "--cpu-list", core, *map(str, command)]


class Server:
    """A server in a process of its own, on its core, until the end of a `with`."""

    def __init__(self, name, binaries):
        self.name = name
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-"))
        self.port = free_port()
        self.other_port = free_port()

    def command(self):
        match self.name:
            case "vitrine":
                return [self.binaries.broadcaster, "serve", "--no-state", "--listen", f"127.0.0.1:{self.port}"]
            case "nchan":
                return ["nginx", "-p", self.folder, "-c", self.written("nginx.conf")]
            case "mosquitto":
                return ["mosquitto", "-c", self.written("mosquitto.conf")]
            case "nats":
                return [self.binaries.venv / "bin" / "nats-server", "-c", self.written("nats.conf")]
            case "bun":
                return [self.binaries.bun, "run", HERE / "bun.ts"]
            case "uvicorn":
                app = ["--app-dir", HERE, "uvicorn_app:app", "--port", self.port, "--log-level", "warning"]
                return [self.binaries.venv / "bin" / "uvicorn", *app, "--ws-ping-interval", "3600"]

    def written(self, name):
        """A configuration with this run's ports and folder."""
        text = (HERE / name).read_text()
        places = {
            "MQTT_PORT": self.other_port,
            "NATS_PORT": self.other_port,
            "PORT": self.port,
            "FOLDER": self.folder,
            "MODULES": "/usr/lib/nginx/modules",
        }
        for place, value in places.items():
            text = text.replace(place, str(value))
        path = self.folder / name
        path.write_text(text)
        return path

    def __enter__(self):
        log = (self.folder / "log").open("w")
        environment = os.environ | {"PORT": str(self.port)}
        self.process = subprocess.Popen(
            pinned(SERVER_CORE, self.command()), stdout=log, stderr=log, env=environment, cwd=self.folder
        )
        for port in [self.port] + [self.other_port] * (self.name in ("mosquitto", "nats")):
            self.wait_for(port)
        return self

    def wait_for(self, port):
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended: {(self.folder / 'log').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.name} does not listen on {port}")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def process_id(self):
        """The process that does the work: nginx has it in a child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0] if self.name == "nchan" and children else self.process.pid

    def target(self, batch=False):
        kinds = {"mosquitto": "mqtt", "nats": "nats"}
        arguments = ["--server", kinds.get(self.name, "http"), "--pages", f"127.0.0.1:{self.port}"]
        if self.name in kinds:
            path = {"mosquitto": "/mqtt", "nats": "/"}[self.name]
            arguments += ["--path", path, "--publish", f"127.0.0.1:{self.other_port}"]
        elif batch:
            arguments += ["--path", "/ws?batch=1"]
        return [*arguments, "--server-process", str(self.process_id())]

    def load(self, what, *arguments, batch=False):
        """One measurement; what went wrong is an answer too."""
        command = [self.binaries.load, what, *self.target(batch), *map(str, arguments)]
        try:
            done = subprocess.run(
                pinned(GENERATOR_CORE, command), capture_output=True, text=True, timeout=300
            )
        except subprocess.TimeoutExpired:
            return {"failed": "no answer within 300 s"}
        if done.returncode != 0:
            return {"failed": done.stderr.strip().splitlines()[0] if done.stderr.strip() else "it ended"}
        return json.loads(done.stdout)


def is_complete(answer):
    return "failed" not in answer and answer["wrong"] == 0 and answer["repeated"] == 0 and answer["incomplete"] == 0


def is_good(answer):
    return (
        is_complete(answer)
        and answer["p99_ms"] <= SLOWEST_MS
        and answer["generator_busy"] <= BUSIEST_GENERATOR
    )


def highest(name, binaries, start, batch=False, together=1, seconds=4):
    """The highest rate that all pages get all of in time, a new server for every try."""

    def attempt(rate):
        with Server(name, binaries) as server:
            arguments = ["--subscribers", SUBSCRIBERS, "--rate", rate, "--seconds", seconds, "--together", together]
            return server.load("fanout", *arguments, batch=batch)

    rate, best, failed = start, None, None
    while True:
        answer = attempt(rate)
        if not is_good(answer):
            failed = (rate, answer)
            break
        best = (rate, answer)
        rate *= STEP
    for _ in range(HALVINGS):
        low = best[0] if best else failed[0] / STEP**2
        middle = (low * failed[0]) ** 0.5
        answer = attempt(middle)
        if is_good(answer):
            best = (middle, answer)
        else:
            failed = (middle, answer)
    return {"best": best and best[1], "first_failed": failed[1]}


def say(group, name, **more):
    print(json.dumps({"group": group, "server": name, **more}), flush=True)


# Where the search for the highest rate begins, in events a second to 500 pages.
STARTS = {"vitrine": 200, "nchan": 100, "mosquitto": 40, "nats": 60, "bun": 60, "uvicorn": 10}
KEYS, MEGABYTE_KEYS = 10_000, 5_000


def measure(name, binaries):
    """All measurements of one server, once."""
    say("fanout", name, batch=False, **highest(name, binaries, STARTS[name]))
    if name == "vitrine":
        say("fanout", name, batch=True, **highest(name, binaries, 2_000, batch=True, together=10))
    with Server(name, binaries) as server:
        say("thousand", name, **server.load("fanout", "--subscribers", 1000, "--rate", 100, "--seconds", 5))
    with Server(name, binaries) as server:
        say("idle", name, **server.load("idle"))
    if name in ("vitrine", "bun", "uvicorn"):
        with Server(name, binaries) as server:
            say("publish", name, together=1, **server.load("publish", "--connections", 50))
        with Server(name, binaries) as server:
            say("publish", name, together=500, **server.load("publish", "--connections", 8, "--together", 500))
        with Server(name, binaries) as server:
            server.load("publish", "--events", KEYS, "--together", 100, "--keys", KEYS)
            say("join", name, **server.load("join", "--times", 20, "--expect", KEYS))
        with Server(name, binaries) as server:
            server.load("publish", "--events", MEGABYTE_KEYS, "--together", 100, "--keys", MEGABYTE_KEYS)
            say("storm", name, **server.load("join", "--pages-at-once", 1000, "--expect", MEGABYTE_KEYS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--broadcaster", type=Path, required=True)
    parser.add_argument("--load", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--bun", type=Path, required=True)
    parser.add_argument("--servers", default=",".join(STARTS))
    arguments = parser.parse_args()
    for path in ("broadcaster", "load", "venv", "bun"):
        setattr(arguments, path, getattr(arguments, path).absolute())
    for _ in range(arguments.times):
        raw = subprocess.run(
            [arguments.load, "raw", "--subscribers", str(SUBSCRIBERS)], capture_output=True, text=True, check=True
        )
        say("raw", "none", **json.loads(raw.stdout))
        for name in arguments.servers.split(","):
            measure(name, arguments)


main()
