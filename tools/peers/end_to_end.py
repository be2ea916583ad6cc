"""From files to rows in SQLite: echolabel beside what people write today and beside what an expert writes.

    make peers
    target/release/echolabel bench --write-loops LOOPS
    .venv-peers/bin/python tools/peers/end_to_end.py target/release/echolabel LOOPS [--rounds 5] [--chunk 20] [--json FILE]

Contenders take turns on the same chunk of loops, each in a process of its own with two threads:

ours    `echolabel watch --once`, the default pipeline on frames of 288 pixels as the others (speed.toml; what ships sees 112): complete? queued, ECG searched, up to two clips of six frames labelled
today   pydicom decodes all frames with the fastest of its plugins, six evenly spaced ones go through PyTorch, a row
expert  pydicom reads the header, only six frames are decoded (libjpeg-turbo, to gray), ONNX Runtime, a row

A turn is timed twice: from the start of the process to its end, and without opening, from the moment that the model has
run once (peers) or that the daemon starts to look at files (ours) to its end. Beside the time stands the CPU time of all
threads, which tells the work where other programs share the machine. Files are in the system's cache for everybody. Every
row is a transaction of its own, with a write-ahead log and full synchronization. Weights are random.
"""

import argparse
import json
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import figures

SIZE, CLASSES, FRAMES, THREADS = 288, 11, 6, 2
READY = "ready"
PLUGINS = ("gdcm", "pylibjpeg", "pillow")


def build_network():
    """EfficientNet-B2 on every frame, the mean over the clip, eleven classes."""
    import torch
    import torchvision

    torch.manual_seed(0)

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torchvision.models.efficientnet_b2(weights=None).features
            self.head = torch.nn.Linear(1408, CLASSES)

        def forward(self, frames):
            return self.head(self.encoder(frames).mean((2, 3)).mean(0, keepdim=True))

    return Classifier().eval()


def export(path):
    import torch

    torch.onnx.export(build_network(), (torch.zeros(FRAMES, 3, SIZE, SIZE),), str(path), input_names=["frames"],
                      output_names=["logits"], opset_version=17, dynamo=False)


def evenly_spaced(count):
    return [round(step * (count - 1) / (FRAMES - 1)) for step in range(FRAMES)]


def as_input(grays):
    """[6, 3, 288, 288] of gray images of any size."""
    import cv2
    import numpy

    images = [cv2.resize(gray, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for gray in grays]
    planes = numpy.stack(images).astype(numpy.float32)[:, None] / 255
    return numpy.repeat(planes, 3, 1)


class Rows:
    def __init__(self, path):
        self.connection = sqlite3.connect(path)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("CREATE TABLE loop (sop_instance_uid TEXT PRIMARY KEY, view INTEGER, probabilities TEXT)")

    def add(self, uid, logits):
        import numpy

        exponentials = numpy.exp(logits - logits.max())
        probabilities = (exponentials / exponentials.sum()).tolist()
        row = (uid, int(logits.argmax()), json.dumps(probabilities))
        self.connection.execute("INSERT INTO loop VALUES (?, ?, ?)", row)
        self.connection.commit()


def ready():
    print(READY, file=sys.stderr, flush=True)


def run_today(files, rows):
    import cv2
    import numpy
    import pydicom
    import torch

    torch.set_num_threads(THREADS)
    cv2.setNumThreads(THREADS)
    network = build_network()
    decode = pydicom.pixels.pixel_array
    seconds = {}
    for plugin in PLUGINS:
        try:
            decode(files[0], index=0, decoding_plugin=plugin)
        except (RuntimeError, ValueError, KeyError, NotImplementedError):
            continue
        start = time.perf_counter()
        for index in range(3):
            decode(files[0], index=index, decoding_plugin=plugin)
        seconds[plugin] = time.perf_counter() - start
    fastest = min(seconds, key=seconds.get)
    print(f"pydicom plugin {fastest}", file=sys.stderr)
    with torch.no_grad():
        network(torch.zeros(FRAMES, 3, SIZE, SIZE))
        ready()
        for file in files:
            dataset = pydicom.dcmread(file)
            dataset.pixel_array_options(decoding_plugin=fastest)
            frames = dataset.pixel_array
            grays = [cv2.cvtColor(numpy.ascontiguousarray(frames[index]), cv2.COLOR_RGB2GRAY)
                     for index in evenly_spaced(len(frames))]
            logits = network(torch.from_numpy(as_input(grays)))
            rows.add(dataset.SOPInstanceUID, logits.numpy()[0])


def run_expert(files, rows, model):
    import cv2
    import numpy
    import onnxruntime
    import pydicom
    import simplejpeg
    from pydicom.encaps import get_frame

    cv2.setNumThreads(THREADS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    session.run(None, {"frames": numpy.zeros((FRAMES, 3, SIZE, SIZE), numpy.float32)})
    ready()
    for file in files:
        with open(file, "rb") as stream:
            dataset = pydicom.dcmread(stream, stop_before_pixels=True)
            # The pixel data's own header: tag, type, two spare bytes, length.
            stream.seek(stream.tell() + 12)
            pixels, count = stream.tell(), int(dataset.NumberOfFrames)
            grays = []
            for index in evenly_spaced(count):
                stream.seek(pixels)
                jpeg = get_frame(stream, index, number_of_frames=count)
                grays.append(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY", fastdct=False)[:, :, 0])
        rows.add(dataset.SOPInstanceUID, session.run(None, {"frames": as_input(grays)})[0][0])


def peak_megabytes(pid, stop, into):
    """Follows VmHWM of a process until it ends."""
    while not stop.is_set():
        try:
            for line in open(f"/proc/{pid}/status"):
                if line.startswith("VmHWM:"):
                    into["megabytes"] = int(line.split()[1]) / 1024
        except OSError:
            return
        stop.wait(0.05)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def link_or_copy(file, folder):
    try:
        os.link(file, folder / os.path.basename(file))
    except OSError:
        shutil.copy2(file, folder)


def turn(name, options, files, folder):
    """One contender on one chunk: seconds and CPU seconds with and without opening, and its peak of memory."""
    database = folder / f"{name}.sqlite"
    for old in folder.glob(f"{name}.sqlite*"):
        old.unlink()
    if name == "ours":
        inbox = folder / "inbox"
        shutil.rmtree(inbox, ignore_errors=True)
        inbox.mkdir()
        for file in files:
            link_or_copy(file, inbox)
        # Files count as arrived once they have not changed for two seconds.
        time.sleep(2.5)
        command = [options.echolabel, "watch", inbox, "--once", "--db", database, "--threads", str(THREADS), "-v",
                   "--log-format", "json", "--pipeline", options.pipeline]
        mark, table = '"started"', "SELECT count(*) FROM prediction"
    else:
        command = [sys.executable, __file__, options.echolabel, options.loops, "--serve", name, database, options.model,
                   *files]
        mark, table = READY, "SELECT count(*) FROM loop"
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": str(THREADS)}
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               text=True, env=environment)
    stop, memory, told = threading.Event(), {}, []
    watcher = threading.Thread(target=peak_megabytes, args=(process.pid, stop, memory))
    watcher.start()
    opened = None
    for line in process.stderr:
        told.append(line)
        if opened is None and mark in line:
            opened, cpu_opened = time.perf_counter(), cpu_seconds(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    end, cpu = time.perf_counter(), usage.ru_utime + usage.ru_stime
    stop.set()
    watcher.join()
    # Loops whose model is not sure are rows too; a loop without a row is a fault of the measurement.
    found = sqlite3.connect(database).execute(table).fetchone()[0] if database.exists() else 0
    if code != 0 or opened is None or found != len(files):
        sys.exit(f"{name} ended with {code}, {found} rows of {len(files)}:\n" + "".join(told[-20:]))
    plugin = [line.split()[-1] for line in told if line.startswith("pydicom plugin")]
    return {"seconds": end - start, "seconds_without_opening": end - opened, "cpu_seconds": cpu,
            "cpu_seconds_without_opening": cpu - cpu_opened, "peak_megabytes": memory.get("megabytes"),
            **({"plugin": plugin[0]} if plugin else {})}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("echolabel")
    parser.add_argument("loops")
    parser.add_argument("--pipeline", default=str(pathlib.Path(__file__).with_name("speed.toml")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chunk", type=int, default=20)
    parser.add_argument("--contenders", default="ours,today,expert")
    parser.add_argument("--json")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        name, database, model, *files = options.serve
        return run_today(files, Rows(database)) if name == "today" else run_expert(files, Rows(database), model)

    files = sorted(str(path) for path in pathlib.Path(options.loops).glob("*.dcm"))
    if len(files) < options.chunk:
        sys.exit(f"{options.loops} holds {len(files)} loops; `echolabel bench --write-loops` writes some")
    names = options.contenders.split(",")
    with tempfile.TemporaryDirectory(prefix="echolabel-peers-") as folder:
        folder = pathlib.Path(folder)
        options.model = str(folder / "model.onnx")
        if "expert" in names:
            export(options.model)
        rounds = []
        for number in range(options.rounds):
            first = number * options.chunk % (len(files) - options.chunk + 1)
            chunk = files[first:first + options.chunk]
            for file in chunk:
                pathlib.Path(file).read_bytes()
            rounds.append({name: turn(name, options, chunk, folder) for name in names})
            told = (f"{name} {options.chunk / took['seconds_without_opening']:.2f}" for name, took in rounds[-1].items())
            print(f"round {number + 1}, loops/s without opening: " + "  ".join(told), file=sys.stderr, flush=True)
    result = summary(names, rounds, options.chunk)
    for name, own in result["contenders"].items():
        print(f"{name:<7}{own['loops_per_second_without_opening']:7.2f} loops/s without opening, "
              f"{own['loops_per_second']:6.2f} with, {1000 * own['cpu_seconds_a_loop_without_opening']:5.0f} ms CPU a "
              f"loop, peak {own['peak_megabytes']:5.0f} MB")
        for kind, words in RATIOS.items():
            if kind in own["ratios"]:
                ratio = own["ratios"][kind]
                print(f"       over ours, {words}: {ratio['median']:.2f} ({ratio['least']:.2f} to {ratio['most']:.2f})")
    figures.write(options.json, result)


RATIOS = {"seconds_without_opening": "time without opening", "seconds": "time with opening",
          "cpu_seconds_without_opening": "CPU time without opening"}


def summary(names, rounds, chunk):
    """Medians over the rounds; ratios are taken within each round."""
    contenders = {}
    for name in names:
        own = [entry[name] for entry in rounds]
        median = lambda kind: statistics.median(turn[kind] for turn in own) / chunk
        row = {
            "loops_per_second": 1 / median("seconds"),
            "loops_per_second_without_opening": 1 / median("seconds_without_opening"),
            "cpu_seconds_a_loop_without_opening": median("cpu_seconds_without_opening"),
            "peak_megabytes": max(turn["peak_megabytes"] or 0 for turn in own),
            "ratios": {},
        }
        for kind in RATIOS if name != "ours" and "ours" in names else ():
            row["ratios"][kind] = figures.spread([entry[name][kind] / entry["ours"][kind] for entry in rounds])
        contenders[name] = row
    return {"loops_in_a_turn": chunk, "contenders": contenders, "rounds": rounds}


if __name__ == "__main__":
    main()
