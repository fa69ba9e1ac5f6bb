"""The report of `scripts/bench knn`: JSON lines of measurements in, Markdown and a plot out.

A line's "group" says what it is of:

    table    {"table", "rows", "columns", "queries"}
    search   {"table", "library", "what": batch | small | single, "seconds", "build_s"}
    produce  {"table", "library", "seconds", "peak_mb"}
    exact    {"table", "kernel", "queries", "mismatches"}
    labels   {"table", "queries", "equal", "explained", "unexplained"}
    growth   {"library", "rows", "columns", "queries", "seconds", "build_s"}
    few      {"library", "what": batch | single, "rows", "columns", "seconds", "build_s"}
    machine  {"cpu", "cores", "versions": {name: version}, "date"}

Lines of search, produce, growth and few may repeat: the report has their medians. It leaves out what has no lines.
"""

import argparse
import json
import math
import os
import statistics
from collections import defaultdict
from pathlib import Path

OWN = "vitrine"
COLOURS = {OWN: "#0072b2", "scikit-learn": "#d55e00", "faiss": "#707070"}
SEARCHES = {
    "batch": ("All queries at once", "s", 1),
    "small": ("64 queries at a time, time per query", "ms", 1e3),
    "single": ("One query at a time", "ms", 1e3),
}
COUNTS = {
    "exact": ("Neighbours against brute force in float64", ["table", "split", "kernel", "rows", "queries", "mismatches"]),
    "labels": ("Labels against scikit-learn", ["table", "queries", "equal", "explained", "unexplained"]),
}


def report(lines, out, plot):
    """Writes the Markdown and, if there are lines of growth, the plot that it shows."""
    groups = {group: of for (group,), of in alike(lines, ["group"]).items()}
    text = ["# Exact nearest neighbours: measurements", method(groups)]
    if tables := groups.get("table"):
        text += ["## Tables", markdown(["table", "rows", "columns", "queries"], tables)]
    if searches := groups.get("search"):
        for what, (title, unit, factor) in SEARCHES.items():
            if of_what := [line for line in searches if line["what"] == what]:
                text += [f"## {title}", runs(of_what, ["table"])]
                text += [compared(of_what, ["table"], "seconds", unit, factor)]
        text += ["## Index build", compared(searches, ["table"], "build_s", "s")]
    if produce := groups.get("produce"):
        text += ["## The whole of `knn produce`", runs(produce, ["table"])]
        text += [compared(produce, ["table"], "seconds", "s")]
        text += ["Peak memory, in 10^6 bytes:", compared(produce, ["table"], "peak_mb", "MB")]
        if tables:
            text += ["Ours against the windows as one float32 matrix:", held(tables, produce)]
    for group, (title, keys) in COUNTS.items():
        if counts := groups.get(group):
            text += [f"## {title}", COUNTED[group], markdown(keys, counts)]
    if growth := groups.get("growth"):
        growth = [line | {"seconds": 1000 * line["seconds"] / line["queries"]} for line in growth]
        draw(medians(growth, ["columns", "library", "rows"], "seconds"), plot)
        link = os.path.relpath(plot, out.parent)
        text += ["## Growth", "All queries at once; seconds per 1,000 of them.", runs(growth, ["columns", "rows"])]
        text += [f"![Rows against seconds, for each number of columns]({link})"]
        text += [compared(growth, ["columns", "rows"], "seconds", "s")]
        text += ["Index build:", compared(growth, ["columns", "rows"], "build_s", "s")]
    if few := groups.get("few"):
        keys = ["columns", "rows"]
        text += ["## Few columns", "kd-tree is that of linfa-nn, over float64."]
        for what, (title, unit, factor) in SEARCHES.items():
            if of_what := [line for line in few if line["what"] == what]:
                text += [f"{title}. {runs(of_what, keys)}", compared(of_what, keys, "seconds", unit, factor)]
        text += ["Index build:", compared(few, keys, "build_s", "s")]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n\n".join(text) + "\n")


def method(groups):
    """How it was measured, and on what."""
    on = ""
    if machines := groups.get("machine"):
        machine = machines[-1]
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        on = f"\n\n{machine['date']}; {machine['cpu']}, {machine['cores']} cores; {versions}."
    return METHOD + on


METHOD = f"""\
Written by `scripts/bench knn`. All programs ran on one machine in one run, in turn, each measurement in
a process of its own and on all cores. Figures are medians; a ratio is the other's figure divided by that
of {OWN}. k = 10. scikit-learn is `KNeighborsClassifier` with `algorithm="brute"`, faiss is
`IndexFlatL2`, with the CPU named to its OpenBLAS; all search the same standardized float32 rows. The
time to build an index is not in the time to search it. The Python side of `produce` reads and writes
with pyarrow and computes with scikit-learn; its imports are not timed. Ours classifies up to 2,000
validation windows besides, and times 64 queries alone: once the Python side leaves both out, once it
classifies as many validation windows too."""

COUNTED = {
    "exact": "A query is a mismatch if a neighbour or a distance differs from brute force.",
    "labels": "Where a label differs, an exact duplicate or a tie explains it, or it is unexplained.",
}


def alike(lines, keys):
    """Lines of equal values under `keys`, by these, in order of appearance."""
    groups = defaultdict(list)
    for line in lines:
        groups[tuple(line[key] for key in keys)].append(line)
    return groups


def medians(lines, keys, measure):
    """The median of `measure` for all values under `keys`."""
    return {key: statistics.median(line[measure] for line in of) for key, of in alike(lines, keys).items()}


def runs(lines, keys):
    """How many runs the medians are of."""
    counts = sorted({len(of) for of in alike(lines, [*keys, "library"]).values()})
    return f"Medians of {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))}."


def compared(lines, keys, measure, unit, factor=1):
    """A table of the figures of each library, and of each other's as multiples of our own."""
    found = medians(lines, [*keys, "library"], measure)
    others = [library for library in dict.fromkeys(key[-1] for key in found) if library != OWN]
    rows = []
    for key in dict.fromkeys(key[:-1] for key in found):
        row = dict(zip(keys, key))
        own = found.get((*key, OWN))
        for library in (OWN, *others):
            value = found.get((*key, library))
            row[f"{library}, {unit}"] = None if value is None else float(factor * value)
        for library in others:
            value = found.get((*key, library))
            row[f"{library} / {OWN}"] = value / own if own and value is not None else None
        rows.append(row)
    if not isinstance(rows[0][keys[0]], str):
        rows.sort(key=lambda row: [row[key] for key in keys])
    return markdown(list(rows[0]), rows)


def held(tables, produce):
    """The peak memory of `knn produce` as a multiple of its window table."""
    peaks = medians([line for line in produce if line["library"] == OWN], ["table"], "peak_mb")
    rows = []
    for line in (line for line in tables if (line["table"],) in peaks):
        matrix = 4e-6 * (line["rows"] + line["queries"]) * line["columns"]
        rows.append({"table": line["table"], "matrix, MB": matrix, "peak / matrix": peaks[line["table"],] / matrix})
    return markdown(list(rows[0]), rows)


def markdown(columns, rows):
    """A table of dictionaries: text to the left, numbers to the right."""
    rule = ["---" if isinstance(rows[0][column], str) else "---:" for column in columns]
    lines = [columns, rule, *([shown(row[column]) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value):
    """Three digits of a measurement, or its whole part; all of a count; nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, float):
        digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
        return f"{value:,.{max(digits, 0)}f}"
    return f"{value:,}" if isinstance(value, int) else value


def draw(found, path):
    """Rows against seconds: a panel for each number of columns, a line for each library."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "knn"})
    panels = sorted({columns for columns, _, _ in found})
    figure = Figure(figsize=(1.5 + 2.4 * len(panels), 3.6), facecolor="white", layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    lines = {}
    for axis, columns in zip(axes, panels):
        for library, colour in COLOURS.items():
            if points := sorted((rows, found[c, l, rows]) for c, l, rows in found if (c, l) == (columns, library)):
                (lines[library],) = axis.loglog(*zip(*points), color=colour, marker="o", markersize=4)
        axis.set(title=f"{columns:,} columns", xlabel="rows")
        ticks = sorted({rows for c, _, rows in found if c == columns})
        axis.set_xticks(ticks, [f"{rows / 1000:g}k" for rows in ticks])
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
        axis.grid(color="#dddddd")
        axis.set_axisbelow(True)
    axes[0].set_ylabel("seconds per 1,000 queries")
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=len(lines), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, type=Path, help="JSON lines")
    parser.add_argument("--out", required=True, type=Path, help="Markdown")
    parser.add_argument("--plot", required=True, type=Path, help="SVG")
    args = parser.parse_args()
    report([json.loads(line) for line in args.results.read_text().splitlines()], args.out, args.plot)
    print(args.out.read_text(), end="")
