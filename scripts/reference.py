"""Reference values for crates/knn, computed with scikit-learn: scripts/reference runs this.

reference.py WINDOWS OUT: WINDOWS is a folder with features_window_v1.parquet, feature_schema_v1.json
and validation_v1.parquet; OUT is the JSON to write.

The fit is that of `knn produce --split-recipe host` with the other flags at their defaults, on a table
small enough that nothing is drawn: it is learned from every window of the training host.
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.preprocessing import StandardScaler

NEIGHBOURS = 10
CLUSTERS = 8
SMALLEST_DEVIATION = 1e-6
# Two distances, or two sums of weights, closer than this are a tie: float32 inputs cannot part them.
TIE = 1e-6


def main(windows: Path, out: Path) -> None:
    path = windows / "features_window_v1.parquet"
    features = json.loads((windows / "feature_schema_v1.json").read_text())["feature_names"]
    status = pq.read_table(windows / "validation_v1.parquet").to_pydict()
    usable = {e: s for e, s in zip(status["episode_id"], status["status"]) if s in ("accepted", "degraded")}

    table = pq.read_table(path)
    table = table.filter(np.array([episode in usable for episode in table["episode_id"].to_pylist()]))
    columns = [table[name].to_numpy().astype(np.float32) for name in features]
    x = np.stack(columns, axis=1)
    phase = table["phase"].to_numpy()
    host = np.array(table["host_id"].to_pylist())
    episode = table["episode_id"].to_pylist()

    accepted = {(e, h) for e, h in zip(episode, host.tolist()) if usable[e] == "accepted"}
    counts = Counter(h for _, h in accepted)
    train_host = min(counts, key=lambda h: (-counts[h], h))
    train = host == train_host

    imputer = SimpleImputer(strategy="median", keep_empty_features=True).fit(x[train].astype(np.float64))
    medians = imputer.statistics_
    filled = np.where(np.isnan(x), medians.astype(np.float32), x).astype(np.float64)
    scaler = StandardScaler().fit(filled[train])
    deviations = np.sqrt(scaler.var_)
    kept = deviations > SMALLEST_DEVIATION
    # The pipeline keeps standardized windows as float32; what follows is float64 on those.
    z = ((filled[:, kept] - scaler.mean_[kept]) / deviations[kept]).astype(np.float32).astype(np.float64)
    learned, y = z[train], phase[train]

    pca = PCA(n_components=3, svd_solver="full").fit(learned)
    lda = LinearDiscriminantAnalysis(solver="svd").fit(learned, y)
    lda_axes = min(3, len(lda.classes_) - 1, lda.scalings_.shape[1])

    # Where k-means ends hangs on where it begins: the median of ten seeds stands for all of them.
    mini = [
        MiniBatchKMeans(CLUSTERS, batch_size=2048, n_init=4, max_iter=200, random_state=seed).fit(learned)
        for seed in range(10)
    ]
    best = KMeans(CLUSTERS, n_init=50, random_state=0).fit(learned)

    # kd_tree takes differences; brute expands |a|^2 - 2ab + |b|^2 and misses exact duplicates.
    knn = KNeighborsClassifier(NEIGHBOURS, weights="distance", algorithm="kd_tree").fit(learned, y)
    predicted = knn.predict(z[~train])
    ties = np.flatnonzero(tied(learned, y, z[~train], knn)).tolist()

    result = {
        "computed_by": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "windows_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": len(x),
        "train_host": train_host,
        "train_rows": int(train.sum()),
        "medians": medians.tolist(),
        "means": scaler.mean_.tolist(),
        "deviations": deviations.tolist(),
        "kept": np.flatnonzero(kept).tolist(),
        "pca": {"axes": pca.components_.tolist(), "captured": pca.explained_variance_ratio_.tolist()},
        "lda": {
            "axes": lda.scalings_.T[:lda_axes].tolist(),
            "captured": lda.explained_variance_ratio_[:lda_axes].tolist(),
        },
        "kmeans": {
            "clusters": CLUSTERS,
            "mini_batch_inertia": float(np.median([fit.inertia_ for fit in mini])),
            "best_of_50_inertia": best.inertia_,
        },
        "knn": {
            "neighbours": NEIGHBOURS,
            "predicted": "".join(str(code) for code in predicted),
            "ties": ties,
            "macro_f1": f1_score(phase[~train], predicted, average="macro"),
        },
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{out}: {len(x)} windows, {int(kept.sum())} of {len(features)} columns, {len(ties)} ties")


def tied(learned, y, queries, knn):
    """Queries whose prediction hangs on a tie: of the last neighbour, or of the two best phases."""
    k = min(NEIGHBOURS + 1, len(learned))
    distances, _ = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(learned).kneighbors(queries)
    last = distances[:, -1] - distances[:, -2] <= TIE * distances[:, -1]
    shares = np.sort(knn.predict_proba(queries), axis=1)
    return last | (shares[:, -1] - shares[:, -2] <= TIE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
