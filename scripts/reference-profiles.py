"""Reference values for crates/profiles, computed with numpy: scripts/reference runs this.

reference-profiles.py DATA_ROOT WINDOWS OUT: DATA_ROOT is a folder with episodes/, WINDOWS one with
validation_v1.parquet of it; OUT is the JSON to write.
"""

import io
import json
import sys
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import zstandard

CHANNELS = defaultdict(
    lambda: "proc.cpu_user_jiffies",
    {
        "io-walk": "proc.cpu_sys_jiffies",
        "low-and-slow": "proc.run_ns",
        "mem-walk": "proc.minor_faults",
        "idle": "proc.voluntary_switches",
    },
)
BUDGETS = {"clean_lead": 10, "armed": 5, "infecting": 10, "infected_running": 40, "clean_tail": 15}


def lines(text: bytes) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def curve(tarball: Path, channel: str) -> np.ndarray:
    """80 points; NaN where the episode has nothing of a section."""
    unpacked = zstandard.ZstdDecompressor().stream_reader(tarball.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        files = {member.name.removeprefix("./"): tar.extractfile(member).read() for member in tar if member.isfile()}
    labels, samples = lines(files["labels.jsonl"]), lines(files["telemetry-proc.jsonl"])

    times = np.array([sample["t_mono_ns"] for sample in samples])
    values = np.array([sample[channel] for sample in samples], dtype=float)
    # All of these channels count; a rate belongs to the later of two samples, and the first has none.
    rates = np.diff(values) / (np.diff(times) / 1e9)
    times, rates = times[1:][rates >= 0], rates[rates >= 0]

    phases = [label["phase"] for label in labels]
    other = [i for i, phase in enumerate(phases) if phase != "clean"]
    names = []
    for i, phase in enumerate(phases):
        if phase == "clean":
            names.append("clean_lead" if i < other[0] else "clean_tail" if i > other[-1] else None)
        else:
            names.append("infected_running" if phase == "dormant" else phase)
    at = np.searchsorted([label["t_mono_ns"] for label in labels], times, side="right") - 1

    points = []
    for section, budget in BUDGETS.items():
        own = rates[[names[i] == section for i in at]]
        if len(own) == 0:
            points.append(np.full(budget, np.nan))
        else:
            points.append(np.interp(np.linspace(0, len(own) - 1, budget), np.arange(len(own)), own))
    return np.concatenate(points)


def main(root: Path, windows: Path, out: Path) -> None:
    validation = pq.read_table(windows / "validation_v1.parquet").to_pylist()
    curves = defaultdict(list)
    for row in validation:
        if row["status"] == "accepted":
            tarball = root / "episodes" / row["host_id"] / f"{row['episode_id']}.tar.zst"
            curves[row["profile"]].append(curve(tarball, CHANNELS[row["profile"]]))
    profiles = {}
    for name, all_curves in sorted(curves.items()):
        p25, median, p75 = np.nanquantile(np.array(all_curves), [0.25, 0.5, 0.75], axis=0)
        profiles[name] = {
            "channel": CHANNELS[name],
            "episodes": len(all_curves),
            "p25": p25.tolist(),
            "median": median.tolist(),
            "p75": p75.tolist(),
        }
    out.write_text(json.dumps({"numpy": np.__version__, "profiles": profiles}, indent=1) + "\n")


main(*map(Path, sys.argv[1:]))
