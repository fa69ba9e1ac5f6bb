"""Prints how well kNN tells the phases of a window table apart: the figures in data/README.md.

Usage: .venv/reports/bin/python scripts/sample-figures.py WINDOWS_DIR   (scripts/train-reports makes .venv/reports)

Within a host: six folds over its episodes, no episode in two folds. Across: one host trains, the others test.
k = 10, distance weights, features standardized by the training rows.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler


def predict(values, phase, train, test):
    medians = np.nan_to_num(np.nanmedian(values[train], axis=0))
    values = np.where(np.isnan(values), medians, values)
    scaler = StandardScaler().fit(values[train])
    kept = np.sqrt(scaler.var_) > 1e-6
    neighbours = KNeighborsClassifier(n_neighbors=10, weights="distance")
    neighbours.fit(scaler.transform(values[train])[:, kept], phase[train])
    return neighbours.predict(scaler.transform(values[test])[:, kept])


def say(what, truth, predicted):
    majority = np.bincount(truth).max() / len(truth)
    f1 = f1_score(truth, predicted, average="macro")
    print(f"{what:26}{len(truth):5} windows  majority {majority:.3f}  accuracy {accuracy_score(truth, predicted):.3f}  macro F1 {f1:.3f}")


def main(folder):
    table = parquet.read_table(folder / "features_window_v1.parquet").to_pydict()
    names = json.loads((folder / "feature_schema_v1.json").read_text())["feature_names"]
    values = np.array([table[name] for name in names], dtype=np.float64).T
    phase, hosts, episodes = (np.array(table[name]) for name in ("phase", "host_id", "episode_id"))
    for host in np.unique(hosts):
        own = np.flatnonzero(hosts == host)
        predicted = np.zeros(len(own), dtype=phase.dtype)
        for train, test in GroupKFold(6).split(own, groups=episodes[own]):
            predicted[test] = predict(values, phase, own[train], own[test])
        say(f"within {host}", phase[own], predicted)
    for host in np.unique(hosts):
        train, test = np.flatnonzero(hosts == host), np.flatnonzero(hosts != host)
        say(f"{host} to others", phase[test], predict(values, phase, train, test))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
