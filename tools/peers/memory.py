"""Whether memory stays flat: `echolabel watch --once` on many loops, its resident memory followed over time.

    python tools/peers/memory.py target/release/echolabel LOOPS [--count 1000]

LOOPS is what `echolabel bench --write-loops` wrote. Each copy of a loop gets an instance UID of its own, so that the daemon
labels it anew. Printed are resident memory and its peak after every tenth of the loops. Needs nothing but Python.
"""

import argparse
import pathlib
import sqlite3
import subprocess
import tempfile
import time

TENTHS = 10


def copies(loops, count, folder):
    """Writes `count` loops into `folder`, each with another end of its SOP Instance UID."""
    sources = sorted(pathlib.Path(loops).glob("*.dcm"))
    for number in range(count):
        data = sources[number % len(sources)].read_bytes()
        # The element (0002,0003) of the file meta group, explicit little endian: tag, VR, length, value.
        at = data.index(b"\x02\x00\x03\x00UI")
        length = int.from_bytes(data[at + 6:at + 8], "little")
        uid = data[at + 8:at + 8 + length].rstrip(b"\0")
        (folder / f"loop{number:05}.dcm").write_bytes(data.replace(uid, uid[:-5] + b"%05d" % number))


def resident_megabytes(pid):
    """Resident memory now and at most."""
    found = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    return [int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]


def labelled(database):
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM prediction").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("echolabel")
    parser.add_argument("loops")
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="echolabel-memory-") as folder:
        inbox, database = pathlib.Path(folder, "inbox"), pathlib.Path(folder, "lab.sqlite")
        inbox.mkdir()
        copies(options.loops, options.count, inbox)
        time.sleep(2.5)
        start = time.monotonic()
        process = subprocess.Popen([options.echolabel, "watch", inbox, "--once", "--db", database, "--threads", "2"])
        told = 0
        while process.poll() is None:
            done = labelled(database)
            if done * TENTHS // options.count > told:
                told = done * TENTHS // options.count
                now, most = resident_megabytes(process.pid)
                print(f"{done:5} loops, {time.monotonic() - start:6.0f} s: {now:4.0f} MB resident, at most {most:4.0f} MB",
                      flush=True)
            time.sleep(0.5)
        print(f"{labelled(database)} of {options.count} loops have a row; exit code {process.returncode}")


if __name__ == "__main__":
    main()
