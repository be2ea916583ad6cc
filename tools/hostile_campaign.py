#!/usr/bin/env python3
"""Files that attack a decoder, in inspect, label and watch, beside 40 good loops: time, memory, and who is labelled.

usage: hostile_campaign.py PROGRAM WORK BOMBS...    (BOMBS: files or folders; `cargo run -p cine --example bombs` makes some)

Linux only: memory is the sum over the program and its worker processes, sampled from /proc 50 times a second.
Exits with 1 where a file takes more than 20 s or 1 GB, a good loop is not labelled, or a signal is not obeyed in 5 s.
"""

import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time

MAX_SECONDS = 20
MAX_MEGABYTES = 1000
MAX_STOP_SECONDS = 5
GOOD_LOOPS = 40


def processes(root):
    """The process and all that descend from it."""
    found = [root]
    try:
        for task in pathlib.Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += processes(int(child))
    except OSError:
        pass
    return found


def megabytes(root):
    total = 0
    for process in processes(root):
        try:
            status = pathlib.Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total / 1024


def run(command, stop_after=None):
    """Runs a command: seconds, peak megabytes, stdout, seconds from the signal to the end."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = []
    reader = threading.Thread(target=lambda: output.append(process.stdout.read()))
    reader.start()
    peak, signaled = 0, None
    while process.poll() is None:
        peak = max(peak, megabytes(process.pid))
        if stop_after and signaled is None and stop_after():
            signaled = time.monotonic()
            process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    ended = time.monotonic()
    reader.join()
    return ended - started, peak, output[0], ended - (signaled or ended)


def outcome(stdout):
    for line in reversed(stdout.splitlines()):
        try:
            error = json.loads(line).get("error")
        except (ValueError, AttributeError):
            continue
        if error:
            return error["kind"]
    return "read"


def count(database, condition):
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(f"SELECT COUNT(*) FROM {condition}").fetchone()[0]
    except sqlite3.Error:
        return 0


def good_loops(program, work):
    subprocess.run([program, "phantom", "--small", "--studies", "5", "--seed", "5", "--out", work / "studies"],
                   check=True, stdout=subprocess.DEVNULL)
    found = []
    for truth in sorted((work / "studies").glob("*/truth.json")):
        loops = json.loads(truth.read_text())["loops"]
        found += [truth.parent / known["file"] for known in loops if known["view"]]
    return found[:GOOD_LOOPS]


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, work = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    work.mkdir(parents=True)
    bombs = []
    for given in map(pathlib.Path, sys.argv[3:]):
        bombs += sorted(given.glob("*.dcm")) if given.is_dir() else [given]
    bad = []
    print(f"{'file':45} {'command':8} {'s':>6} {'MB':>6}  outcome")
    for bomb in bombs:
        for command in ("inspect", "label"):
            seconds, peak, stdout, _ = run([program, command, "--json", bomb])
            print(f"{bomb.name:45} {command:8} {seconds:6.1f} {peak:6.0f}  {outcome(stdout)}", flush=True)
            if seconds > MAX_SECONDS or peak > MAX_MEGABYTES:
                bad.append(f"{bomb.name} in {command}")

    good = good_loops(program, work)
    inbox = work / "inbox"
    for number, path in enumerate(bombs + good):
        target = inbox / str(number % 7) / f"{number}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    config = work / "echolabel.toml"
    config.write_text("[inbox]\nstability_seconds = 0.1\n")
    watch = [program, "watch", inbox, "--config", config, "--db"]
    seconds, peak, stdout, _ = run(watch + [work / "once.sqlite", "--once"])
    labelled = count(work / "once.sqlite", "(SELECT DISTINCT loop_id FROM prediction)")
    print(f"watch --once: {len(bombs)} bombs beside {len(good)} good loops, {seconds:.1f} s, {peak:.0f} MB, "
          f"{labelled} loops labelled: {stdout.strip()}")
    if labelled < len(good):
        bad.append(f"{len(good) - labelled} good loops are not labelled")

    database = work / "stopped.sqlite"
    hanging = lambda: count(database, "job WHERE state = 'running'") > 0 and time.monotonic() > start + 10
    start = time.monotonic()
    _, _, _, stopping = run(watch + [database], stop_after=hanging)
    print(f"SIGTERM beside bombs: obeyed in {stopping:.1f} s")
    if stopping > MAX_STOP_SECONDS:
        bad.append("the signal")
    if bad:
        sys.exit("beyond the limits: " + "; ".join(bad))
    print("all within the limits")


if __name__ == "__main__":
    main()
