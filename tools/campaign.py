"""Tries to break the daemon: kills, floods, locks, full disks, clocks, shares, hours.

    tools/campaign.py PROGRAM [PART...] [--scale 1.0] [--json FILE]

Each part makes its own folder, runs PROGRAM with its default settings on simulated loops, counts what is in the database
afterwards, and fails if a loop is missing or there twice. `--scale 0.05` runs a part in a few minutes. Parts that need root
(`disk_full`, `share`) or libfaketime (`clock`) say so and are left out without them.
"""

import argparse
import glob
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

PIPELINE = ["--pipeline", "tte11-tiny"]
CONFIG = "[inbox]\nstability_seconds = 0.2\nrescan_seconds = 1\n"


class Lab:
    """A folder with simulated loops, an inbox and a database."""

    def __init__(self, program, studies, seed):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="echolabel-campaign-")
        self.inbox = os.path.join(self.folder, "inbox")
        self.database = os.path.join(self.folder, "lab.sqlite")
        self.config = os.path.join(self.folder, "echolabel.toml")
        os.mkdir(self.inbox)
        with open(self.config, "w") as file:
            file.write(CONFIG)
        away = os.path.join(self.folder, "away")
        subprocess.run([program, "phantom", "--small", "--studies", str(studies), "--seed", str(seed), "--out", away],
                       check=True, stdout=subprocess.DEVNULL)
        self.loops = sorted(glob.glob(os.path.join(away, "*", "*.dcm")))

    def deliver(self, path, number):
        """Brings a file as a copy program does: under another name first."""
        part = os.path.join(self.inbox, f"{number}.part")
        shutil.copyfile(path, part)
        os.rename(part, os.path.join(self.inbox, f"{number}.dcm"))

    def watch(self, *more, env=None, prefix=(), log=None):
        command = [*prefix, self.program, "watch", self.inbox, "--db", self.database, "--config", self.config, *PIPELINE, *more]
        stderr = open(log, "a") if log else subprocess.DEVNULL
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, env={**os.environ, **(env or {})})

    def count(self, table):
        try:
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
            with connection:
                return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def wait_for(self, what, seconds, done):
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise SystemExit(f"FAILED: waited {seconds} s in vain until {what}")
            time.sleep(0.2)

    def drain(self):
        while self.watch("--once").wait() not in (0, 1) or self.count("job WHERE state IN ('pending', 'running')") > 0:
            time.sleep(0.2)

    def verdict(self, files):
        """Every file ends in one loop with at most one prediction; nothing failed."""
        found = {
            "files": files,
            "loops": self.count("loop"),
            "labelled": self.count("(SELECT DISTINCT loop_id FROM prediction)"),
            "labelled_twice": self.count("(SELECT loop_id FROM prediction GROUP BY loop_id HAVING count(*) > 1)"),
            "failed": self.count("job WHERE state = 'failed'"),
        }
        found["lost"] = files - found["loops"]
        found["passed"] = found["lost"] == 0 and found["labelled_twice"] == 0 and found["failed"] == 0
        return found

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def stop(process, within_seconds):
    """Asks for an orderly end and gives back how long it took."""
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(within_seconds)
    return time.monotonic() - start


def kills(program, scale):
    """Kills the daemon, `--once` and orderly ends at random moments while files arrive."""
    count = max(9, round(1000 * scale))
    lab = Lab(program, studies=max(2, round(20 * scale)), seed=71)
    moments = random.Random(71)
    pending = list(enumerate(lab.loops))
    for number in range(count):
        for _ in range(max(1, len(lab.loops) // count)):
            if pending:
                lab.deliver(pending[0][1], pending.pop(0)[0])
        kind = number % 3
        process = lab.watch(*(["--once"] if kind == 1 else []))
        time.sleep(moments.uniform(0.05, 1.0))
        if kind == 2 and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            time.sleep(moments.uniform(0.0, 0.2))
        process.kill()
        process.wait()
    for number, path in pending:
        lab.deliver(path, number)
    lab.drain()
    return {"kills": count, **lab.verdict(len(lab.loops))}, lab


def many_files(program, scale):
    """Copies of the same loops under many names: a flood."""
    count = max(200, round(100_000 * scale))
    lab = Lab(program, studies=1, seed=72)
    for number in range(count):
        os.link(lab.loops[number % len(lab.loops)], os.path.join(lab.inbox, f"{number}.dcm"))
    start = time.monotonic()
    process = lab.watch("--once")
    _, _, usage = os.wait4(process.pid, 0)
    jobs = lab.count("job WHERE state IN ('done', 'skipped')")
    found = {"files": count, "ended": jobs, "seconds": round(time.monotonic() - start, 1),
             "peak_megabytes": usage.ru_maxrss // 1024, "loops": lab.count("loop")}
    return {**found, "passed": jobs == count and found["loops"] == len(lab.loops)}, lab


def run_through(lab, trouble):
    """Delivers half of the loops, makes trouble, delivers the rest, and lets the daemon end its work."""
    log = os.path.join(lab.folder, "log")
    process = lab.watch(log=log)
    half = len(lab.loops) // 2
    for number, path in enumerate(lab.loops[:half]):
        lab.deliver(path, number)
    lab.wait_for("a loop is labelled", 120, lambda: lab.count("prediction") > 0)

    def rest():
        for number, path in enumerate(lab.loops[half:], half):
            lab.deliver(path, number)

    trouble(rest)
    lab.wait_for("all loops are in", 600, lambda: lab.count("loop") >= len(lab.loops))
    lab.wait_for("no job is left", 600, lambda: lab.count("job WHERE state IN ('pending', 'running')") == 0)
    assert process.poll() is None, "the daemon ended"
    seconds = stop(process, 60)
    with open(log) as file:
        told = sum("cannot be used, waiting" in line for line in file)
    return {"told": told, "stop_seconds": round(seconds, 2), **lab.verdict(len(lab.loops))}


def locked(program, scale):
    """Another program holds the database for longer than SQLite waits."""
    lab = Lab(program, studies=1, seed=73)

    def trouble(rest):
        connection = sqlite3.connect(lab.database, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        rest()
        time.sleep(max(15, 130 * scale))
        connection.execute("ROLLBACK")
        connection.close()

    return run_through(lab, trouble), lab


def moved(program, scale):
    """The database is moved away and comes back; then it is replaced by a backup of itself."""
    lab = Lab(program, studies=1, seed=74)

    def trouble(rest):
        away = lab.database + ".away"
        os.rename(lab.database, away)
        rest()
        time.sleep(max(5, 60 * scale))
        os.rename(away, lab.database)
        copy = lab.database + ".copy"
        subprocess.run([program, "db", "backup", copy, "--db", lab.database], check=True, stdout=subprocess.DEVNULL)
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(lab.database + suffix):
                os.unlink(lab.database + suffix)
        time.sleep(3)
        os.rename(copy, lab.database)

    return run_through(lab, trouble), lab


def long_reader(program, scale):
    """A reader that does not end, and then a stop."""
    lab = Lab(program, studies=max(1, round(20 * scale)), seed=75)

    def trouble(rest):
        reader = sqlite3.connect(lab.database, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM job").fetchone()
        rest()
        lab.reader = reader

    found = run_through(lab, trouble)
    log = lab.database + "-wal"
    found["log_megabytes"] = round(os.path.getsize(log) / 1e6, 1) if os.path.exists(log) else 0
    lab.reader.close()
    return found, lab


def disk_full(program, scale):
    """The disk of the database fills up and is freed. Needs root, for a small file system in memory."""
    if os.geteuid() != 0:
        return {"left_out": "needs root"}, None
    lab = Lab(program, studies=1, seed=76)
    disk = os.path.join(lab.folder, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).returncode != 0:
        return {"left_out": "no file system in memory can be mounted"}, lab
    lab.database = os.path.join(disk, "lab.sqlite")
    ballast = os.path.join(disk, "ballast")

    def trouble(rest):
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(file, b"\0" * 4096):
                pass
        except OSError:
            os.close(file)
        rest()
        time.sleep(max(10, 130 * scale))
        os.unlink(ballast)

    try:
        return run_through(lab, trouble), lab
    finally:
        subprocess.run(["umount", "-l", disk])


def share(program, scale):
    """The watched file system goes away while files wait, and comes back. Needs root, for a mount."""
    if os.geteuid() != 0:
        return {"left_out": "needs root"}, None
    lab = Lab(program, studies=1, seed=77)
    real = os.path.join(lab.folder, "real")
    os.mkdir(real)
    mount = ["mount", "--bind", real, lab.inbox]
    if subprocess.run(mount).returncode != 0:
        return {"left_out": "no folder can be mounted"}, lab

    def trouble(rest):
        rest()
        subprocess.run(["umount", "-l", lab.inbox], check=True)
        time.sleep(max(10, 120 * scale))
        subprocess.run(mount, check=True)

    try:
        return run_through(lab, trouble), lab
    finally:
        subprocess.run(["umount", "-l", lab.inbox])


def clock(program, scale):
    """The wall clock jumps an hour back and forth on a polled folder. Needs libfaketime (`make campaign` installs it)."""
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
    if library is None:
        return {"left_out": "needs libfaketime"}, None
    lab = Lab(program, studies=1, seed=78)
    with open(lab.config, "a") as file:
        file.write('polling = "always"\n')
    offset = os.path.join(lab.folder, "offset")

    def set_clock(by):
        with open(offset + ".new", "w") as file:
            file.write(by)
        os.rename(offset + ".new", offset)

    set_clock("+0")
    env = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_NO_CACHE": "1",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    process = lab.watch(env=env)
    slowest = 0.0
    jumps = ["-3600", "+3600", "-86400", "+0"]
    for number, path in enumerate(lab.loops):
        set_clock(jumps[number % len(jumps)])
        before = lab.count("loop")
        lab.deliver(path, number)
        start = time.monotonic()
        lab.wait_for("the file is labelled", 120, lambda: lab.count("loop") > before)
        slowest = max(slowest, time.monotonic() - start)
    seconds = stop(process, 60)
    return {"slowest_seconds": round(slowest, 1), "stop_seconds": round(seconds, 2), **lab.verdict(len(lab.loops))}, lab


def soak(program, scale):
    """Half an hour of arriving files, and how the memory of the daemon grows over its second half."""
    minutes = max(2.0, 30 * scale)
    lab = Lab(program, studies=2, seed=79)
    process = lab.watch()
    start, number, samples = time.monotonic(), 0, []
    while time.monotonic() - start < 60 * minutes:
        os.link(lab.loops[number % len(lab.loops)], os.path.join(lab.inbox, f"{number}.dcm"))
        number += 1
        with open(f"/proc/{process.pid}/statm") as file:
            samples.append((time.monotonic() - start, int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6))
        time.sleep(0.25)
    half = [sample for sample in samples if sample[0] > 30 * minutes]
    mean_x = sum(x for x, _ in half) / len(half)
    mean_y = sum(y for _, y in half) / len(half)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in half) / sum((x - mean_x) ** 2 for x, _ in half)
    lab.wait_for("no job is left", 300, lambda: lab.count("job WHERE state IN ('done', 'skipped')") >= number)
    seconds = stop(process, 60)
    found = {"minutes": minutes, "files": number, "megabytes": round(samples[-1][1], 1),
             "slope_megabytes_per_hour": round(3600 * slope, 2), "stop_seconds": round(seconds, 2)}
    return {**found, "passed": lab.count("loop") == len(lab.loops)}, lab


PARTS = {part.__name__: part for part in
         (kills, many_files, locked, moved, long_reader, disk_full, share, clock, soak)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    figures = {}
    for name in options.parts or PARTS:
        start = time.monotonic()
        found, lab = PARTS[name](os.path.abspath(options.program), options.scale)
        found["part_seconds"] = round(time.monotonic() - start, 1)
        figures[name] = found
        print(name, json.dumps(found), flush=True)
        if lab:
            lab.close()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=2)
    failed = [name for name, found in figures.items() if not found.get("passed", True)]
    sys.exit(f"FAILED: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
