"""Trains seven classifiers on a window table and writes a train and an eval report of each.

Usage: train-reports.py WINDOWS_DIR REPORTS_DIR

Split: the host with the most accepted episodes trains, all other hosts test. A fifth of the training
host's episodes, drawn by seed, are held out of training: the train report is about them, and the
networks stop early by them. The eval report is about the test hosts. No number is about a window, or
an episode, that the model was fitted to.

Input: gbt, mlp and knn_semi see one window. cnn, gru, lstm and bert see a window and the seven
before it in the same episode (zeros, the standardized mean, before its begin). Each gives one phase a window.

macro_f1 has a 95 % interval by bootstrap over episodes; latency_us, one window at a time, is the median
with the 5th and 95th percentile.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import jax
import keras
import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from threadpoolctl import threadpool_limits

SEED = 0
PHASES = ["clean", "armed", "infecting", "infected_running", "dormant"]
DORMANT, FAILED = 4, 5
STEPS = 8
RESAMPLES = 2000


class Windows:
    """The usable windows of a dataset, standardized by the training episodes."""

    def __init__(self, folder):
        table = parquet.read_table(folder / "features_window_v1.parquet").to_pydict()
        names = json.loads((folder / "feature_schema_v1.json").read_text())["feature_names"]
        verdicts = parquet.read_table(folder / "validation_v1.parquet").to_pydict()
        accepted = Counter(
            host for host, status in zip(verdicts["host_id"], verdicts["status"]) if status == "accepted"
        )
        most = max(accepted.values())
        self.train_host = min(host for host, count in accepted.items() if count == most)
        self.hosts = np.array(table["host_id"])
        self.episodes = np.array(table["episode_id"])
        self.order = np.array(table["window_idx"])
        phase = np.array(table["phase"])
        self.phase = np.where(phase == FAILED, DORMANT, phase)

        own = np.unique(self.episodes[self.hosts == self.train_host])
        held_out = np.random.default_rng(SEED).permutation(own)[: len(own) // 5]
        home = self.hosts == self.train_host
        self.validation = np.flatnonzero(home & np.isin(self.episodes, held_out))
        self.train = np.flatnonzero(home & ~np.isin(self.episodes, held_out))
        self.test = np.flatnonzero(~home)

        values = np.array([table[name] for name in names], dtype=np.float64).T
        medians = np.nan_to_num(np.nanmedian(values[self.train], axis=0))
        values = np.where(np.isnan(values), medians, values)
        scaler = StandardScaler().fit(values[self.train])
        kept = np.sqrt(scaler.var_) > 1e-6
        self.flat = scaler.transform(values)[:, kept].astype(np.float32)
        self.sequences = self._sequences()

    def _sequences(self):
        sequences = np.zeros((len(self.flat), STEPS, self.flat.shape[1]), dtype=np.float32)
        for episode in np.unique(self.episodes):
            rows = np.flatnonzero(self.episodes == episode)
            rows = rows[np.argsort(self.order[rows])]
            for place, row in enumerate(rows):
                past = rows[max(0, place + 1 - STEPS) : place + 1]
                sequences[row, STEPS - len(past) :] = self.flat[past]
        return sequences


class Tabular:
    """A scikit-learn classifier of one window."""

    sees = "one window"

    def __init__(self, model):
        self.model = model

    def fit(self, windows):
        self.model.fit(windows.flat[windows.train], windows.phase[windows.train])

    def predict(self, windows, rows):
        return self.model.predict(windows.flat[rows])

    def one(self, windows, row):
        return lambda: self.model.predict(windows.flat[row : row + 1])


class SemiSupervised(Tabular):
    """k-nearest-neighbours that is told the phases of every third training episode only, and labels the
    others itself where it is sure."""

    sees = "one window; phases of a third of the training episodes"

    def __init__(self):
        neighbours = KNeighborsClassifier(n_neighbors=10, weights="distance")
        super().__init__(SelfTrainingClassifier(neighbours, threshold=0.8, max_iter=20))

    def fit(self, windows):
        known = np.unique(windows.episodes[windows.train])[::3]
        told = np.isin(windows.episodes[windows.train], known)
        self.model.fit(windows.flat[windows.train], np.where(told, windows.phase[windows.train], -1))


class Sequence:
    """A Keras network over a window and those before it."""

    sees = f"{STEPS} windows"

    def __init__(self, body):
        self.body = body

    def fit(self, windows):
        keras.utils.set_random_seed(SEED)
        entry = keras.Input(windows.sequences.shape[1:])
        # Most of the features say much the same: few at a time keep a small network from learning by heart.
        hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Dropout(0.3)(entry))
        hidden = keras.layers.Dropout(0.3)(self.body(hidden))
        self.model = keras.Model(entry, keras.layers.Dense(len(PHASES), activation="softmax")(hidden))
        self.model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        patience = keras.callbacks.EarlyStopping(patience=15, restore_best_weights=True)
        self.model.fit(
            windows.sequences[windows.train],
            windows.phase[windows.train],
            validation_data=(windows.sequences[windows.validation], windows.phase[windows.validation]),
            epochs=120,
            batch_size=32,
            callbacks=[patience],
            verbose=0,
        )

    def predict(self, windows, rows):
        return self.model.predict(windows.sequences[rows], verbose=0).argmax(axis=1)

    def one(self, windows, row):
        return lambda: self.model.predict_on_batch(windows.sequences[row : row + 1])


def convolution(hidden):
    for _ in range(2):
        hidden = keras.layers.Conv1D(64, 3, padding="causal", activation="relu")(hidden)
    return hidden[:, -1]


def encoder(hidden):
    """A small transformer encoder; the last position answers."""
    positions = keras.layers.Embedding(STEPS, 64)(keras.ops.arange(STEPS))
    hidden = hidden + positions
    for _ in range(2):
        attended = keras.layers.MultiHeadAttention(4, 16, dropout=0.1)(hidden, hidden)
        hidden = keras.layers.LayerNormalization()(hidden + attended)
        wide = keras.layers.Dense(128, activation="gelu")(hidden)
        hidden = keras.layers.LayerNormalization()(hidden + keras.layers.Dense(64)(wide))
    return hidden[:, -1]


MODELS = {
    "gbt": lambda: Tabular(HistGradientBoostingClassifier(random_state=SEED)),
    "mlp": lambda: Tabular(MLPClassifier((64, 32), alpha=1e-2, max_iter=400, random_state=SEED)),
    "knn_semi": SemiSupervised,
    "cnn": lambda: Sequence(convolution),
    "gru": lambda: Sequence(keras.layers.GRU(64)),
    "lstm": lambda: Sequence(keras.layers.LSTM(64)),
    "bert": lambda: Sequence(encoder),
}


def macro_f1(confusion):
    """Macro F1 of one or many confusion matrices; a phase that is neither there nor predicted is left out."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    present = total > 0
    scores = np.where(present, 2 * hits / np.where(present, total, 1), 0)
    return scores.sum(axis=-1) / present.sum(axis=-1)


def score(windows, rows, predicted):
    labels = range(len(PHASES))
    truth = windows.phase[rows]
    matrices = np.array([
        confusion_matrix(truth[own], predicted[own], labels=labels)
        for own in (windows.episodes[rows] == episode for episode in np.unique(windows.episodes[rows]))
    ])
    draws = np.random.default_rng(SEED).integers(len(matrices), size=(RESAMPLES, len(matrices)))
    low, high = np.quantile(macro_f1(matrices[draws].sum(axis=1)), [0.025, 0.975])
    confusion = matrices.sum(axis=0)
    return {
        "macro_f1": {"point": macro_f1(confusion), "low": low, "high": high},
        "accuracy": accuracy_score(truth, predicted),
        "majority_accuracy": np.bincount(truth).max() / len(truth),
        "per_class_f1": dict(zip(PHASES, f1_score(truth, predicted, labels=labels, average=None, zero_division=0))),
        "confusion": confusion.tolist(),
        "confusion_order": PHASES,
        "n_episodes": len(matrices),
    }


def latency_us(model, windows):
    predict = model.one(windows, windows.test[0])
    times = []
    # One window is no work to share: threads would only wait for each other.
    with threadpool_limits(1):
        for _ in range(320):
            begin = time.perf_counter_ns()
            predict()
            times.append((time.perf_counter_ns() - begin) / 1e3)
    # The first calls compile and warm caches.
    low, point, high = np.quantile(times[20:], [0.05, 0.5, 0.95])
    return {"point": point, "low": low, "high": high}


def plain(value):
    """Rounds to five significant places: more than the data can tell."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float | np.floating) else value


def write(path, report):
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False) as file:
        json.dump(plain(report), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o644)
    os.replace(file.name, path)


def main(windows_dir, reports_dir):
    reports_dir.mkdir(parents=True, exist_ok=True)
    windows = Windows(windows_dir)
    shared = {
        "split": {
            "recipe": "host",
            "train_hosts": [windows.train_host],
            "test_hosts": sorted(set(windows.hosts[windows.test])),
        },
        "n_train": len(windows.train),
        "n_validation": len(windows.validation),
        "n_test": len(windows.test),
        "n_features": windows.flat.shape[1],
        "seed": SEED,
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (sklearn, keras, jax, np, pyarrow)},
        },
    }
    for name, make in MODELS.items():
        begin = time.perf_counter()
        model = make()
        model.fit(windows)
        about = {
            "model": name,
            "input": model.sees,
            **shared,
            "trained_at": datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "fit_seconds": time.perf_counter() - begin,
        }
        latency = latency_us(model, windows)
        for kind, scored_on, rows in (
            ("train", "held-out episodes of the training host", windows.validation),
            ("eval", "test hosts", windows.test),
        ):
            scores = score(windows, rows, model.predict(windows, rows))
            report = {**about, "scored_on": scored_on, **scores, "latency_us": latency}
            write(reports_dir / f"{name}_{kind}.json", report)
            f1 = scores["macro_f1"]
            print(
                f"{name:9}{kind:6} macro F1 {f1['point']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}]"
                f"  latency {latency['point']:.0f} us",
                flush=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
