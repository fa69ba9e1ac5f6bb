"""Trains networks on scikit-learn's digits, and shows a broadcaster how they come on: see scripts/training-client."""

import base64
import io
import itertools
import json
import os
import pickle
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urljoin

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

# The one whose mini-batches are shown comes first; the last is too bold.
LEARNING_RATES = [0.02, 0.004, 0.0008, 0.2]
HIDDEN = (48,)
CLASSES = range(10)
# Pictures are 8 x 8, of 17 greys.
SIDE, WHITE = 8, 16
# Of a call, at most.
MAX_SAMPLES = 128
# A mini-batch holds no picture twice.
LARGEST = 1000
# Iterations from one publish of points, validation and checkpoint to the next.
PUBLISH_EVERY, VALIDATE_EVERY, CHECKPOINT_EVERY = 5, 20, 100


def number(name, default, least, most=10**9):
    """A setting of the environment."""
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        sys.exit(f"training-client: {name}: expected a whole number from {least} to {most}, got {text!r}")
    return int(text)


class Broadcaster:
    """Waits for one that is not there, and says so once."""

    def __init__(self):
        self.rpc = os.environ.get("DASHBOARD_RPC_URL", "http://127.0.0.1:8447/rpc/batch_update")
        self.publish_url = os.environ.get("VITRINE_PUBLISH_URL") or urljoin(self.rpc, "/publish")
        self.is_away = False
        # Calls in a row that it ignored, as it shows a training that came further.
        self.ignored = 0
        self.is_at_no_number = False

    def post(self, url, body):
        headers = {"Content-Type": "application/json"}
        if token := os.environ.get("VITRINE_PUBLISH_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        wait = 0.25
        while True:
            try:
                request = urllib.request.Request(url, json.dumps(body).encode(), headers)
                answer = json.load(urllib.request.urlopen(request, timeout=120))
                if self.is_away:
                    print(f"{url} answers again", file=sys.stderr)
                self.is_away = False
                return answer
            except urllib.error.HTTPError as error:
                # It is there, and busy or stopping.
                if error.code != 503:
                    sys.exit(f"training-client: {url}: {error.code}: {detail(error)}")
                reason = detail(error)
            except (OSError, ValueError) as error:
                reason = getattr(error, "reason", error)
            if not self.is_away:
                print(f"{url} does not answer: {reason}; trying again", file=sys.stderr)
            self.is_away = True
            time.sleep(wait)
            wait = min(2 * wait, 10)


def detail(error):
    try:
        return json.load(error)["detail"]
    except (ValueError, KeyError, TypeError):
        return error.reason


class Run:
    """One network, and the points of it that were not published yet."""

    def __init__(self, rate, started):
        self.id = f"digits lr={rate} {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(started))}"
        self.network = MLPClassifier(HIDDEN, solver="sgd", learning_rate_init=rate, random_state=0)
        self.points = {}

    def add(self, metric, step, value):
        if np.isfinite(value):
            self.points.setdefault(metric, []).append([step, float(value), time.time()])

    def train(self, step, pictures, digits):
        begun = time.perf_counter()
        self.network.partial_fit(pictures, digits, classes=CLASSES)
        seconds = time.perf_counter() - begun
        self.add("loss", step, self.network.loss_)
        self.add("lr", step, self.network.learning_rate_init)
        self.add("step_time_ms", step, 1e3 * seconds)
        self.add("throughput/samples_per_s", step, len(pictures) / seconds)

    def validate(self, step, pictures, digits):
        likely = self.network.predict_proba(pictures)
        self.add("validation_loss", step, log_loss(digits, likely, labels=list(CLASSES)))
        self.add("accuracy", step, accuracy_score(digits, likely.argmax(axis=1)))
        weights = np.concatenate([layer.ravel() for layer in self.network.coefs_])
        self.add("weights/norm", step, np.linalg.norm(weights))

    def checkpoint(self, step):
        begun = time.perf_counter()
        size = len(pickle.dumps(self.network))
        self.add("checkpoint_bytes", step, size)
        self.add("checkpoint_ms", step, 1e3 * (time.perf_counter() - begun))

    def take(self):
        """The points as events."""
        points, self.points = self.points, {}
        units = {"step_time_ms": "ms", "checkpoint_ms": "ms", "checkpoint_bytes": "B"}
        return [
            {"type": "metric_points", "run_id": self.id, "metric": metric, "points": of, **({"unit": units[metric]} if metric in units else {})}
            for metric, of in points.items()
        ]


def png(picture):
    grey = (picture.reshape(SIDE, SIDE) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def train(broadcaster, settings, first):
    """Trains; mini-batches are shown as iterations after `first`."""
    total, least, most, delay = settings
    digits = load_digits()
    seen, held, names, held_names = train_test_split(digits.data / WHITE, digits.target, test_size=0.25, random_state=0)
    random = np.random.default_rng(0)
    started = time.time()
    runs = [Run(rate, started) for rate in LEARNING_RATES]
    for step in range(1, total + 1):
        batch = random.choice(len(seen), random.integers(least, most, endpoint=True), replace=False)
        pictures, right = seen[batch], names[batch]
        for run in runs:
            run.train(step, pictures, right)
            if step % VALIDATE_EVERY == 0 or step == total:
                run.validate(step, held, held_names)
            if step % CHECKPOINT_EVERY == 0:
                run.checkpoint(step)
        runs[0].add("sys.load_1m", step, os.getloadavg()[0])
        show(broadcaster, first + step, runs[0], batch, pictures, right, delay)
        if step % PUBLISH_EVERY == 0 or step == total:
            broadcaster.post(broadcaster.publish_url, [event for run in runs for event in run.take()])
        time.sleep(delay / 1e3)
    accuracy = [accuracy_score(held_names, run.network.predict(held)) for run in runs]
    print(f"{total} iterations in {time.time() - started:.0f} s; right of {len(held)} held out: " + ", ".join(f"{share:.1%}" for share in accuracy))


def show(broadcaster, iteration, run, batch, pictures, right, delay):
    likely = run.network.predict_proba(pictures)
    samples = [
        {"sample_id": int(batch[at]), "prediction": int(of.argmax()), "ground_truth": int(right[at]), "confidence": float(of.max()), "image_b64": png(pictures[at])}
        for at, of in enumerate(likely[:MAX_SAMPLES])
    ]
    loss = run.network.loss_
    if not np.isfinite(loss):
        # One that learns too fast may end at no number at all: there is nothing to show of it.
        if not broadcaster.is_at_no_number:
            print(f"the loss of {run.id} is {loss} from iteration {iteration} on: it is not shown", file=sys.stderr)
        broadcaster.is_at_no_number = True
        return
    update = {"iteration": iteration, "loss": loss, "batch_size": len(batch), "delay_ms": delay, "samples": samples}
    answer = broadcaster.post(broadcaster.rpc, update)
    # Once may be a call that was taken and whose answer was lost.
    broadcaster.ignored = broadcaster.ignored + 1 if answer["status"] == "ignored" else 0
    if broadcaster.ignored == 2:
        print(f"{broadcaster.rpc} shows a training that is past iteration {iteration}; it takes this one a minute after that ends", file=sys.stderr)


def main():
    least = number("MINI_BATCH_MIN", 8, 1, LARGEST)
    most = number("MINI_BATCH_MAX", max(48, least), least, LARGEST)
    settings = number("TOTAL_ITERATIONS", 600, 1), least, most, number("INJECT_DELAY_MS", 0, 0)
    broadcaster = Broadcaster()
    # The networks are small: more threads would only wait for each other.
    with threadpool_limits(1):
        train(broadcaster, settings, 0)
        for turn in itertools.count(1) if "--loop" in sys.argv[1:] else ():
            train(broadcaster, settings, turn * settings[0])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
