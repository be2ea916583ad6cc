"""Fits the trees with which `cine` tells a strip of Doppler or M-mode from a picture (crates/cine/src/strip/trees.txt).

    echolabel phantom --stills 70 --seed 11 --out build/stills
    cargo run --release -p cine --example strip_features -- build/stills > build/stills.csv
    python tools/strip_classifier.py build/stills build/stills.csv crates/cine/src/strip/trees.txt

Needs numpy. Boosted trees after Friedman 2001, with the same comparison at all nodes of a level; the same input gives the same
trees.
"""

import csv
import json
import pathlib
import sys

import numpy as np

DEPTH, BINS = 4, 48
LEARNING_RATE, L2 = 0.1, 5.0
STRIP_TREES, M_MODE_TREES = 300, 80
# A part that shares this much of its union with the true strip shows it.
MIN_OVERLAP = 0.62
# A picture that is called a strip is worse than a strip that is missed.
PICTURE_WEIGHT = 1.5
STRIP_MODES = {"pw": 0, "tissue_doppler": 0, "m_mode": 1}


def overlap(part, strip, width):
    """Returns the share of the union of two boxes that both cover; `part` is in shares of the width."""
    left, top, right, bottom = part
    x0, y0, x1, y1 = (strip[name] / width for name in ("x0", "y0", "x1", "y1"))
    both = max(0, min(right, x1) - max(left, x0)) * max(0, min(bottom, y1) - max(top, y0))
    return both / ((right - left) * (bottom - top) + (x1 - x0) * (y1 - y0) - both)


def samples(folder, table):
    """Returns names, features, whether it is a strip, whether it is an M-mode, and weight of every part that is clear."""
    truth = {still["file"]: still for still in json.loads((folder / "truth.json").read_text())}
    with open(table) as lines:
        rows = list(csv.DictReader(lines))
    names = list(rows[0])[6:]
    chosen, of_file = [], {}
    for row in rows:
        still = truth[pathlib.Path(row["file"]).name]
        place = [float(row[name]) for name in ("left", "top", "right", "bottom")]
        if still["strip"] and overlap(place, still["strip"], float(row["columns"])) < MIN_OVERLAP:
            continue
        of_file[still["file"]] = of_file.get(still["file"], 0) + 1
        chosen.append((still, [float(row[name]) for name in names]))
    is_strip = np.array([still["strip"] is not None for still, _ in chosen])
    is_m_mode = np.array([STRIP_MODES.get(still["mode"], 0) == 1 for still, _ in chosen])
    weight = np.array([1.0 / of_file[still["file"]] for still, _ in chosen])
    weight = np.where(is_strip, weight, weight * PICTURE_WEIGHT)
    return names, np.array([values for _, values in chosen], np.float32), is_strip, is_m_mode, weight * len(weight) / weight.sum()


def fit(features, target, weight, count):
    """Returns trees as (features, thresholds, values of the outcomes)."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in features.T]
    bins = [np.searchsorted(edge, column, side="left") for edge, column in zip(edges, features.T)]
    score, trees = np.zeros(len(target)), []
    for _ in range(count):
        chance = 1 / (1 + np.exp(-score))
        slope, curve = weight * (chance - target), weight * chance * (1 - chance)
        leaf, comparisons = np.zeros(len(target), int), []
        for level in range(DEPTH):
            best = (-np.inf, 0, 0)
            for number, (edge, place) in enumerate(zip(edges, bins)):
                shape = (1 << level, BINS)
                key = leaf * BINS + place
                slopes = np.bincount(key, slope, shape[0] * BINS).reshape(shape).cumsum(1)
                curves = np.bincount(key, curve, shape[0] * BINS).reshape(shape).cumsum(1)
                above, above_curve = slopes[:, -1:] - slopes, curves[:, -1:] - curves
                gain = (slopes**2 / (curves + L2) + above**2 / (above_curve + L2)).sum(0)[: len(edge)]
                if len(gain) and gain.max() > best[0]:
                    best = (gain.max(), number, int(gain.argmax()))
            _, number, cut = best
            comparisons.append((number, edges[number][cut]))
            leaf += (bins[number] > cut).astype(int) << level
        slopes, curves = np.bincount(leaf, slope, 1 << DEPTH), np.bincount(leaf, curve, 1 << DEPTH)
        values = -LEARNING_RATE * slopes / (curves + L2)
        score += values[leaf]
        trees.append((comparisons, values))
    return trees


def main(folder, table, out):
    names, features, is_strip, is_m_mode, weight = samples(pathlib.Path(folder), table)
    lines = ["# Boosted trees, written by tools/strip_classifier.py: sum, four comparisons, sixteen values."]
    sums = {
        "strip": fit(features, is_strip, weight, STRIP_TREES),
        "m_mode": fit(features[is_strip], is_m_mode[is_strip], weight[is_strip], M_MODE_TREES),
    }
    for name, trees in sums.items():
        for comparisons, values in trees:
            words = [f"{names[number]} {threshold:.5g}" for number, threshold in comparisons]
            lines.append(" ".join([name, *words, *(f"{value:.4g}" for value in values)]))
    pathlib.Path(out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
