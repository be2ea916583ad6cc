#!/usr/bin/env python3
"""Compares `echolabel plan-backfill` with a real run: times of one half of simulated loops, forecast and run of the other."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

program, studies = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "8"
MODEL = ["--pipeline", "tte11-tiny", "--threads", "1"]


def run(*arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def paths(manifest):
    return [json.loads(line)["path"] for line in manifest.read_text().splitlines()]


def label(files, config):
    start = time.monotonic()
    lines = run("label", *files, "--json", "--config", config, *MODEL).splitlines()
    return time.monotonic() - start, [line for line in lines if '"ms"' in line]


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    run("phantom", "--small", "--studies", studies, "--seed", "5", "--out", folder / "loops")
    run("manifest", folder / "loops", "--parts", "2", "--out", folder / "manifests")
    sample, rest = (folder / f"manifests/part-000{half}.jsonl" for half in (0, 1))
    for workers in (1, 2):
        (folder / f"{workers}.toml").write_text(f"[labelling]\nworkers = {workers}\n")
    one_file, _ = label(paths(sample)[:1], folder / "1.toml")
    _, lines = label(paths(sample), folder / "1.toml")
    times = folder / "times.jsonl"
    times.write_text("\n".join(lines))
    opening = one_file - json.loads(lines[0])["ms"]["total"] / 1000
    for workers in (1, 2):
        wall, lines = label(paths(rest), folder / f"{workers}.toml")
        real = wall - opening
        plan = json.loads(run("plan-backfill", "--times", times, "--loops", len(lines), "--cores", workers, "--devices", 1, "--workers",
                              workers, "--megabytes", 0, "--json"))
        print(f"{workers} workers, {len(lines)} loops: forecast {plan['seconds']:.2f} s, real {real:.2f} s, "
              f"ratio {plan['seconds'] / real:.3f}")
