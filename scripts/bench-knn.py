"""The Python side of `scripts/bench knn`: the tables, and what they are compared with.

A table for the search is PREFIX.json ({"rows", "columns", "queries"}), PREFIX.rows.f32 and
PREFIX.queries.f32 (row-major, little-endian) and, where classes are known, PREFIX.rows.u8 and
PREFIX.queries.u8. What is measured is printed as JSON lines, which bench-knn-report.py reads. Libraries are
imported where they are used: one that is not measured must not add to the memory of one that is.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np

NOISE = {"noisy": 0.7, "less-noisy": 0.15}
# How common the phases 0 to 5 are.
SHARES = np.array([0.42, 0.08, 0.12, 0.22, 0.12, 0.04])
PROFILES = ["bursty", "cpu-saturate", "idle", "io-walk", "low-and-slow", "mem-walk"]
HOSTS = 40
WINDOWS_AN_EPISODE = 100
FACTORS = 26
BLOCK = 8192
SMALLEST_DEVIATION = 1e-6
# Queries whose labels are compared.
COMPARED = 2000
# Two sums of weights closer than this, relatively, are a tie.
TIE = 1e-5


def generate(rows, columns, noise, seed, constants):
    """Raw windows (float32, NaN is missing) and their phases.

    26 factors of falling scale lie around a centre a phase, and every column is a mixture of them. Noise
    is in units of a column's standard deviation without it. Three windows of ten straddle two phases, so
    that the phases overlap. Of ten columns one has a heavy tail and one is a count; with `constants`, one
    of fifty is constant. A hundredth of the values is missing. One window of 97 repeats another, and one of
    500 repeats the same one as 16 more, each keeping its own phase.
    """
    numbers = np.random.default_rng(seed)
    factors = min(FACTORS, columns)
    loadings = numbers.standard_normal((factors, columns), np.float32) / np.float32(np.sqrt(factors))
    centres = np.float32(1.2) * numbers.standard_normal((len(SHARES), factors), np.float32)
    scales = (1 / (1 + 0.1 * np.arange(factors))).astype(np.float32)
    phases = numbers.choice(len(SHARES), rows, p=SHARES)
    before = numbers.choice(len(SHARES), rows, p=SHARES)
    straddled = np.where(numbers.random(rows) < 0.3, numbers.random(rows), 0).astype(np.float32)[:, None]
    windows = np.empty((rows, columns), np.float32)
    deviations = None
    for start in range(0, rows, BLOCK):
        block = slice(start, min(start + BLOCK, rows))
        here = windows[block]
        centre = centres[phases[block]]
        centre += straddled[block] * (centres[before[block]] - centre)
        places = centre + scales * numbers.standard_normal(centre.shape, np.float32)
        np.matmul(places, loadings, out=here)
        if deviations is None:
            deviations = np.float32(noise) * here.std(axis=0)
        here += deviations * numbers.standard_normal(here.shape, np.float32)
        here[:, 0::10] = np.minimum(np.exp(0.8 * here[:, 0::10]), 50)
        here[:, 1::10] = np.maximum(np.round(2 * here[:, 1::10]), 0)
        if constants:
            here[:, 2::50] = 1
        here[numbers.random(here.shape, np.float32) < 0.01] = np.nan
        repeated = np.arange(100, len(here), 97)
        here[repeated] = here[repeated - 7]
        here[::500] = here[0]
    return windows, phases.astype(np.uint8)


def write_windows(path, windows, phases):
    """The window, schema and validation tables that `knn produce` reads."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, columns = windows.shape
    names = [f"feature_{column:04}" for column in range(columns)]
    episodes = np.arange(-(-rows // WINDOWS_AN_EPISODE))
    hosts = [f"host-{episode % HOSTS:02}" for episode in episodes]
    profiles = [PROFILES[episode % HOSTS % len(PROFILES)] for episode in episodes]
    ids = [f"{host}-{profile}-{episode:05}" for host, profile, episode in zip(hosts, profiles, episodes)]
    samples = [f"{profile}-{episode // HOSTS % 5}" for profile, episode in zip(profiles, episodes)]
    of_row = np.arange(rows) // WINDOWS_AN_EPISODE
    table = {name: windows[:, column] for column, name in enumerate(names)}
    table["phase"] = phases.astype(np.int32)
    table |= {
        name: pa.DictionaryArray.from_arrays(pa.array(of_row, pa.int32()), pa.array(values)).cast(pa.string())
        for name, values in (("episode_id", ids), ("host_id", hosts), ("profile", profiles))
    }
    table["window_idx"] = np.arange(rows) % WINDOWS_AN_EPISODE
    group = min(32768, -(-rows // 4))
    pq.write_table(pa.table(table), f"{path}.parquet", compression="zstd", row_group_size=group)
    Path(f"{path}.schema.json").write_text(json.dumps({"feature_names": names}) + "\n")
    validation = {"episode_id": ids, "host_id": hosts, "profile": profiles, "sample_name": samples}
    validation["status"] = ["accepted"] * len(ids)
    pq.write_table(pa.table(validation), f"{path}.validation.parquet", compression="zstd")


def standardize(rows, queries):
    """Imputes and standardizes both in place, as learned from `rows`; says which columns vary there."""
    varies = np.zeros(rows.shape[1], bool)
    for start in range(0, rows.shape[1], 16):
        columns = slice(start, start + 16)
        learned = np.ascontiguousarray(rows[:, columns].T, np.float64)
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            medians = np.nan_to_num(np.nanmedian(learned, axis=1, keepdims=True))
        learned = np.where(np.isnan(learned), medians, learned)
        means, deviations = learned.mean(axis=1), learned.std(axis=1)
        varies[columns] = deviations > SMALLEST_DEVIATION
        deviations[~varies[columns]] = 1
        rows[:, columns] = (learned.T - means) / deviations
        asked = queries[:, columns]
        queries[:, columns] = (np.where(np.isnan(asked), medians.T, asked) - means) / deviations
    return varies


def write_search(prefix, rows, queries, classes=None):
    """Standardizes in place, leaves out columns that do not vary, and writes a table for the search."""
    varies = standardize(rows, queries)
    for name, matrix in (("rows", rows), ("queries", queries)):
        kept = matrix if varies.all() else matrix[:, varies]
        kept.astype("<f4", copy=False).tofile(f"{prefix}.{name}.f32")
    for name, codes in (classes or {}).items():
        codes.tofile(f"{prefix}.{name}.u8")
    size = {"rows": len(rows), "columns": int(varies.sum()), "queries": len(queries)}
    Path(f"{prefix}.json").write_text(json.dumps(size) + "\n")
    tell(group="table", table=Path(prefix).name, **size)


def read_search(prefix):
    """The rows and queries of a table, and its size."""
    size = json.loads(Path(f"{prefix}.json").read_text())
    rows, queries = (
        np.fromfile(f"{prefix}.{name}.f32", "<f4").reshape(size[name], size["columns"])
        for name in ("rows", "queries")
    )
    return rows, queries, size


def read_windows(window, schema, more=()):
    """Features as one float32 matrix, and a dictionary of other columns."""
    import pyarrow.parquet as pq

    names = json.loads(Path(schema).read_text())["feature_names"]
    file = pq.ParquetFile(window)
    windows = np.empty((file.metadata.num_rows, len(names)), np.float32)
    start = 0
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=names)
        for column, name in enumerate(names):
            windows[start : start + len(table), column] = table[name].to_numpy()
        start += len(table)
    return windows, file.read(columns=list(more))


def part(rows, seed):
    """A random four fifths of the rows, and the others."""
    order = np.random.default_rng(seed).permutation(rows)
    return order[: rows * 4 // 5], order[rows * 4 // 5 :]


def tables(args):
    """Two synthetic window tables and, if one is given, a real one, each for `produce` and for the search."""
    args.out.mkdir(parents=True, exist_ok=True)

    def for_search(prefix, windows, phases):
        learned, asked = part(len(windows), args.seed)
        classes = {"rows": phases[learned], "queries": phases[asked]}
        write_search(prefix, windows[learned], windows[asked], classes)

    for name, noise in NOISE.items():
        windows, phases = generate(args.rows, args.columns, noise, args.seed, constants=True)
        write_windows(args.out / name, windows, phases)
        for_search(args.out / name, windows, phases)
    if args.real:
        shutil.copyfile(args.real, args.out / "real.parquet")
        shutil.copyfile(args.schema, args.out / "real.schema.json")
        windows, more = read_windows(args.real, args.schema, ["phase"])
        for_search(args.out / "real", windows, more["phase"].to_numpy().astype(np.uint8))


def synthetic(args):
    """A noisy table for the search alone. All its columns vary."""
    windows, _ = generate(args.rows + args.queries, args.columns, NOISE["noisy"], args.seed, constants=False)
    write_search(args.out, windows[: args.rows], windows[args.rows :])


def peer(args):
    """One measurement of one library, which has this process to itself and uses all its cores."""
    rows, queries, size = read_search(args.table)
    if args.library == "faiss":
        # Its own OpenBLAS is old, and takes a CPU that it does not know for one of twenty years ago; that of numpy
        # knows better. Without this it is three times slower on some.
        from threadpoolctl import threadpool_info

        for blas in threadpool_info():
            if blas["internal_api"] == "openblas":
                os.environ.setdefault("OPENBLAS_CORETYPE", blas["architecture"])
        import faiss

        version = faiss.__version__
        faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
        began = time.perf_counter()
        index = faiss.IndexFlatL2(size["columns"])
        index.add(rows)
        build = time.perf_counter() - began
        search = partial(index.search, k=args.k)
    else:
        import sklearn
        from sklearn.neighbors import KNeighborsClassifier

        version = sklearn.__version__
        classes = np.zeros(len(rows), np.uint8)
        began = time.perf_counter()
        # Brute force over float32 runs on all cores whatever n_jobs says.
        index = KNeighborsClassifier(args.k, weights="distance", algorithm="brute", n_jobs=-1)
        index.fit(rows, classes)
        build = time.perf_counter() - began
        search = index.kneighbors

    def median_seconds(width, warm, measured):
        seconds = []
        for place in range(warm + measured):
            asked = queries[np.arange(place * width, (place + 1) * width) % len(queries)]
            began = time.perf_counter()
            search(asked)
            seconds.append((time.perf_counter() - began) / width)
        return statistics.median(seconds[warm:])

    if args.what == "batch":
        search(queries[:64])
        began = time.perf_counter()
        search(queries)
        seconds = time.perf_counter() - began
    elif args.what == "small":
        seconds = median_seconds(64, 3, 40)
    else:
        seconds = median_seconds(1, 10, 200)
    measured = {"what": args.what, "build_s": build, "seconds": seconds, "peak_mb": peak_mb()}
    tell(group=args.group, table=args.table.name, library=args.library, version=version, **measured, **size)


def labels(args):
    """Labels by the neighbours in a file against scikit-learn's. Fails if a difference has no explanation."""
    from sklearn.neighbors import KNeighborsClassifier

    rows, queries, _ = read_search(args.table)
    queries = queries[:COMPARED]
    classes = np.fromfile(f"{args.table}.rows.u8", np.uint8)
    found = np.fromfile(args.found, np.dtype([("row", "<u4"), ("squared", "<f8")]))
    if found.size != len(queries) * args.k:
        raise SystemExit(f"{args.found}: {found.size} neighbours: expected {args.k} of {len(queries)} queries")
    found = found.reshape(len(queries), args.k)
    distances = np.sqrt(found["squared"])
    duplicate = distances == 0
    inverse = np.divide(1, distances, where=~duplicate, out=np.zeros_like(distances))
    votes = np.where(duplicate.any(axis=1, keepdims=True), duplicate, inverse)
    weights = np.zeros((len(queries), int(classes.max()) + 1))
    np.add.at(weights, (np.arange(len(queries))[:, None], classes[found["row"]]), votes)
    ours = weights.argmax(axis=1)

    peer = KNeighborsClassifier(args.k, weights="distance", algorithm="brute", n_jobs=-1).fit(rows, classes)
    theirs = peer.predict(queries)
    theirs_nearest = peer.kneighbors(queries, 1)[0][:, 0]

    def explain(query):
        blocks = [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
        asked = queries[query].astype(np.float64)
        exact = np.concatenate([((block - asked) ** 2).sum(axis=1) for block in blocks])
        nearest = np.sort(np.partition(exact, args.k)[: args.k + 1])
        at = exact[found["row"][query]]
        if not (np.allclose(at, found["squared"][query], 1e-9, 0) and np.allclose(at, nearest[:-1], 1e-9, 0)):
            return f"UNEXPLAINED: the neighbours are not the {args.k} nearest"
        if nearest[0] == 0 and theirs_nearest[query] != 0:
            return f"exact duplicate, which is {theirs_nearest[query]:.3g} away for scikit-learn"
        best, other = weights[query, [ours[query], theirs[query]]]
        if best - other <= TIE * best:
            return f"tie: weights {best:.9g} and {other:.9g}"
        if nearest[-1] - nearest[-2] <= np.spacing(np.float32(nearest[-2])):
            return f"tie of distance: {nearest[-2]:.9g} and {nearest[-1]:.9g}, squared"
        return f"UNEXPLAINED: weights {best:.9g} and {other:.9g}"

    unexplained = 0
    different = np.flatnonzero(ours != theirs)
    for query in different:
        why = explain(query)
        unexplained += why.startswith("UNEXPLAINED")
        print(f"query {query}: {ours[query]}, scikit-learn {theirs[query]}: {why}")
    counts = {"queries": len(queries), "equal": len(queries) - len(different)}
    counts |= {"explained": len(different) - unexplained, "unexplained": unexplained}
    tell(group="labels", table=args.table.name, **counts)
    raise SystemExit(1 if unexplained else 0)


def pipeline(args):
    """All that `knn produce --split-recipe random` does, in Python. Imports are not timed.

    `--validated` windows of a tenth of the training windows are classified by the others, for a score: `knn
    produce` does this too.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.metrics import f1_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    numbers = np.random.default_rng(args.seed)
    stages = {}
    last = began = time.perf_counter()

    def ends(stage):
        nonlocal last
        now = time.perf_counter()
        stages[stage], last = now - last, now

    z, more = read_windows(args.window, args.schema, ["episode_id", "host_id", "profile", "phase"])
    phases = more["phase"].to_numpy()
    ends("read")

    learned, asked = (np.sort(rows) for rows in part(len(z), args.seed))
    # What SimpleImputer and VarianceThreshold would do, faster.
    medians = np.nan_to_num(np.nanmedian(z[learned], axis=0))
    np.copyto(z, medians, where=np.isnan(z))
    scaler = StandardScaler(copy=False).fit(z[learned])
    varies = np.sqrt(scaler.var_) > SMALLEST_DEVIATION
    z = scaler.transform(z)
    z = z if varies.all() else z[:, varies]
    ends("standardize")

    rows = numbers.permutation(learned)[:50_000]
    lda = LinearDiscriminantAnalysis().fit(z[rows], phases[rows])
    axes = lda.transform(z)[:, :3]
    low, high = axes[rows].min(axis=0), axes[rows].max(axis=0)
    places = np.zeros((len(z), 3), np.float32)
    places[:, : axes.shape[1]] = np.clip((axes - low) / (high - low), 0, 1)
    ends("project")

    rows = numbers.permutation(learned)[:100_000]
    kmeans = MiniBatchKMeans(8, batch_size=2048, n_init=4, max_iter=200, random_state=args.seed).fit(z[rows])
    clusters = kmeans.predict(z)
    ends("cluster")

    knn = KNeighborsClassifier(args.k, weights="distance", algorithm="brute", n_jobs=-1)
    predicted = phases.copy()
    predicted[asked] = knn.fit(z[learned], phases[learned]).predict(z[asked])
    if args.validated:
        unseen = numbers.random(len(learned)) < 0.1
        validated = learned[unseen][: args.validated]
        knn.fit(z[learned[~unseen]], phases[learned[~unseen]])
        f1_score(phases[validated], knn.predict(z[validated]), average="macro")
    ends("classify")

    is_train = np.ones(len(z), bool)
    is_train[asked] = False
    points = {name: more[name] for name in ("episode_id", "host_id", "profile")}
    points |= {axis: places[:, column] for column, axis in enumerate("xyz")}
    points |= {"phase_int": phases.astype(np.int8), "predicted_int": predicted.astype(np.int8)}
    points |= {"cluster": clusters, "is_train": is_train}
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(pa.table(points), Path(folder) / "knn_v1.parquet", compression="zstd")
        ends("write")

    library = "python, validated too" if args.validated else "python"
    result = {"library": library, "seconds": last - began, "stages": stages, "peak_mb": peak_mb()}
    tell(group="produce", table=args.window.stem, **result)


def whole(args):
    """The time and the peak memory of `knn` with the arguments after --."""
    began = time.perf_counter()
    process = subprocess.Popen(args.argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        raise SystemExit(f"{' '.join(args.argv)}: exit {os.waitstatus_to_exitcode(status)}")
    tell(group="produce", table=args.table, library="vitrine", seconds=seconds, peak_mb=usage.ru_maxrss * 1024 / 1e6)


def machine(args):
    """What all of it is measured on."""
    import faiss
    import sklearn

    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    versions = {"scikit-learn": sklearn.__version__, "faiss": faiss.__version__, "numpy": np.__version__}
    versions |= {"python": platform.python_version()}
    cores = len(os.sched_getaffinity(0))
    date = time.strftime("%Y-%m-%d", time.gmtime())
    tell(group="machine", cpu=cpu, cores=cores, versions=versions, date=date)


def peak_mb():
    """The most memory that this process has held, in 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def tell(**line):
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, **flags):
        added = commands.add_parser(run.__name__, help=run.__doc__.splitlines()[0], description=run.__doc__)
        added.set_defaults(run=run)
        for name, options in flags.items():
            added.add_argument(f"--{name}", **options)

    def number(default):
        return {"type": int, "default": default}

    def one_of(*choices):
        return {"required": True, "choices": choices}

    path, count = {"required": True, "type": Path}, {"required": True, "type": int}
    real = {"real": {"type": Path, "help": "a window table of recorded episodes"}, "schema": {"type": Path}}
    command(tables, out=path, rows=number(150_000), columns=number(230), seed=number(7), **real)
    command(synthetic, out=path, rows=count, columns=count, queries=count, seed=number(7))
    asked = {"library": one_of("scikit-learn", "faiss"), "what": one_of("batch", "small", "single")}
    command(peer, table=path, **asked, group={"choices": ["search", "growth"], "default": "search"}, k=number(10))
    command(labels, table=path, found=path, k=number(10))
    command(whole, table={"required": True})
    command(machine)
    command(pipeline, window=path, schema=path, seed=number(0), k=number(10), validated=number(0))
    argv = sys.argv[1:]
    own = argv.index("--") if "--" in argv else len(argv)
    args = parser.parse_args(argv[:own])
    args.argv = argv[own + 1 :]
    if args.run is tables and (args.real is None) != (args.schema is None):
        parser.error("--real and --schema go together")
    args.run(args)


if __name__ == "__main__":
    main()
