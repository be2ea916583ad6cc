"""Puts weights that `make weights` trained into the program, and the figures of `make report` into what people read.

    python3 tools/shipped_weights.py take [NAME...]   runs/NAME -> models/weights, and the entry's digest and calibration in the registry
    python3 tools/shipped_weights.py figures          docs/report -> README's table and the entry's origin

Both may be run again at any time. The figures are refused where the report is of other weights than those that ship.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = ROOT / "models/registry/echolabel.toml"
README = ROOT / "README.md"
NAMES = ["tte11-phantom", "tte11-phantom-image"]
BEGIN, END = "<!-- figures of the report: begin -->\n", "<!-- figures of the report: end -->\n"
ROWS = {
    "likeliest view right, loops": "accuracy",
    "labelled correctly": "right",
    "views without a label": "without",
    "other loops without a label (strips, other organs, water)": "others",
    "studies of which every loop has the right view, or none where it shows none": "inventory",
    "expected calibration error": "calibration",
    "sets of views hold the truth (99 % promised)": "sets",
}


def change_entry(name, **values):
    """Replaces keys of one model's entry, each written as TOML on one line."""
    text = REGISTRY.read_text()
    start = text.index(f'name = "{name}"\n')
    end = text.find("[[model]]", start)
    end = len(text) if end < 0 else end
    entry = text[start:end]
    for key, value in values.items():
        old = re.compile(rf'^{key} = (?:"""[\s\S]*?"""|.*)$', re.MULTILINE)
        entry, count = old.subn(lambda _: f"{key} = {value}", entry)
        if count != 1:
            sys.exit(f"{REGISTRY}: {name} has {count} keys {key}")
    REGISTRY.write_text(text[:start] + entry + text[end:])


def entry(name):
    models = tomllib.loads(REGISTRY.read_text())["model"]
    return next(model for model in models if model["name"] == name)


def training(name):
    """One sentence or two on how a run went, from its recipe and logs."""
    recipe = tomllib.loads((ROOT / f"pipelines/train/{name}.toml").read_text())
    run, data, batch = ROOT / "runs" / name, recipe["data"], recipe["batch"]
    steps = list(csv.DictReader((run / "steps.csv").open()))
    validations = [json.loads(line) for line in (run / "validation.jsonl").open()]
    best = [point["step"] for point in validations if point["is_best"]][-1]
    minutes = sum(batch["clips"] / float(step["clips_per_s"]) for step in steps) / 60
    unit = "frames" if batch.get("frames_of_clip") == 1 else "clips"
    # The file of a run, or a model's name.
    start = Path(recipe.get("start", ""))
    start = f", from {start.parent.name or start.name}" if start.name else ""
    return (
        f"Data: echolabel phantom, seed {data['seed']}, {data['train_studies']} simulated patients to learn from and "
        f"{data['validation_studies']} to choose by. Recipe: pipelines/train/{name}.toml, seed {recipe['seed']}{start}. Trained on "
        f"{os.cpu_count()} CPU cores in {minutes:.0f} minutes: {len(steps)} steps of {batch['clips']} {unit}, the best after {best}."
    )


# New weights have this until somebody has measured them on real pictures and written the result into the entry.
UNMEASURED = "Limits: no patient was seen in training, and these weights were not measured on real pictures."


def origin(trained, held_out, limits):
    text = f"TRAINED ON SIMULATED IMAGES, NOT FOR CLINICAL USE. {trained} {held_out}{limits}"
    return json.dumps(text, ensure_ascii=False)


def take(names):
    for name in names or NAMES:
        run = ROOT / "runs" / name
        card = tomllib.loads((run / f"{name}.card.toml").read_text())
        weights = run / f"{name}.safetensors"
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest != card["sha256"] or "calibration" not in card:
            sys.exit(f"{run}: the card is not that of the weights, or `echolabel eval --fit` was not run")
        fitted = ", ".join(f"{key} = {float(card['calibration'][key])!r}" for key in card["calibration"])
        shutil.copyfile(weights, ROOT / f"models/weights/{name}.safetensors")
        values = {"sha256": f'"{digest}"', "calibration": f"{{ {fitted} }}", "origin": origin(training(name), "", UNMEASURED)}
        change_entry(name, **values)
        print(name, digest)


def figures():
    columns = []
    for name in NAMES:
        report = json.loads((ROOT / f"docs/report/{name}/metrics.json").read_text())
        known = entry(name)
        if report["header"]["weights"] != known["sha256"]:
            sys.exit(f"docs/report/{name} is of other weights than those that ship: run `make report`")
        told = dict(report["header"]["more"])
        by_name = {figure["name"]: figure for figure in report["metrics"]}
        accuracy = by_name["accuracy"]
        interval = accuracy["interval"]
        columns.append({
            "accuracy": f"{100 * accuracy['value']:.1f} % ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})",
            "right": told["views labelled correctly"],
            "without": told["views without a label"],
            "others": told["other loops without a label"],
            "inventory": told["inventory of given labels"],
            "calibration": f"{100 * by_name['expected_calibration_error']['value']:.1f} %",
            "sets": f"{100 * report['conformal'][1]['coverage']:.1f} %",
        })
        trained = re.search(r"Data: .*?the best after \d+\.", known["origin"]).group()
        right, others = (told[key].split(" (")[0] for key in ("views labelled correctly", "other loops without a label"))
        held_out = (
            f"On {report['rows']['studies']} other simulated studies {right} of loops that show a view get the right label; "
            f"{others} of the others get none. "
        )
        limits = re.search(r"Limits: .*", known["origin"]).group()
        change_entry(name, origin=origin(trained, held_out, limits))
    head = f"| | `{NAMES[0]}` (default, video) | `{NAMES[1]}` |\n|---|---|---|\n"
    rows = "".join(f"| {row} | {columns[0][key]} | {columns[1][key]} |\n" for row, key in ROWS.items())
    text = README.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(f"{before}{BEGIN}{head}{rows}{END}{after}")
    print(rows, end="")


if __name__ == "__main__":
    commands = {"take": take, "figures": figures}
    command, *names = sys.argv[1:] or [None]
    if command not in commands or (names and command != "take"):
        sys.exit(__doc__)
    commands[command](*([names] if command == "take" else []))
