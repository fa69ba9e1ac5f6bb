"""Works as feeders did before Vitrine: the whole index line by line, a zstd process an episode. Prints JSON and how long it took.

original.py snapshot INDEX | original.py mix DATA_ROOT SAMPLE
"""

import json
import random
import subprocess
import sys
import tarfile
import time
from collections import Counter, deque
from pathlib import Path


def snapshot(index):
    hosts, total_bytes, total, recent = Counter(), 0, 0, deque(maxlen=200)
    with open(index) as lines:
        for line in lines:
            line = line.strip()
            if not line:
                continue
            try:
                episode = json.loads(line)
            except ValueError:
                continue
            hosts[episode["host_id"]] += 1
            total_bytes += episode["size_bytes"]
            total += 1
            recent.append(episode)
    return {"total_episodes": total, "total_bytes": total_bytes, "host_counts": dict(hosts), "recent_episodes": list(recent)[::-1]}


def mix(root, size):
    tarballs = sorted(Path(root).glob("episodes/*/*.tar.zst"))
    sample = random.Random(0).sample(tarballs, min(size, len(tarballs)))
    counts, seconds = Counter(), Counter()
    for path in sample:
        with subprocess.Popen(["zstd", "-dc", str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacked:
            labels = []
            with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
                for member in tar:
                    if member.name.removeprefix("./") == "labels.jsonl":
                        labels = [json.loads(line) for line in tar.extractfile(member).read().splitlines()]
                        break
            unpacked.stdout.close()
        counts.update(label["phase"] for label in labels)
        for label, following in zip(labels, labels[1:]):
            seconds[label["phase"]] += (following["t_mono_ns"] - label["t_mono_ns"]) / 1e9
    scale = len(tarballs) / max(1, len(sample))
    return {"counts": dict(counts), "weighted_seconds": {phase: scale * value for phase, value in seconds.items()}}


what, where, *sample = sys.argv[1:]
start = time.perf_counter()
said = snapshot(where) if what == "snapshot" else mix(where, int(sample[0]))
print(json.dumps({"ms": 1e3 * (time.perf_counter() - start), "said": said}))
