"""Times the kernels' encoders beside ONNX Runtime and OpenVINO, in turns, on the machine that it runs on.

    pip install -r requirements.txt
    cargo build --release -p runtime --example encoders
    python peers.py ENCODERS [--rounds 9] [--network NAME] [--avx2] [--int8] [--models FOLDER] [--json FILE]
        [--other NAME=COMMAND]

ENCODERS is the example that was built. Every contender is a process that answers lines `BATCH THREADS RUNS`; in every
round each has its turn, so that other load falls on all of them. Printed are medians, and medians of the rounds' ratios.
CPU time is that of all the contender's threads, waiting for each other included. With --avx2 everybody keeps to AVX2: the
kernels and OpenVINO by their switches, ONNX Runtime by a copy without its choice of AVX-512. With --int8
everybody runs the network quantized by its own tool, and the kernels in single precision run beside them.
Weights are random on both sides; networks end with the mean of the last map.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import figures
import onnxruntime_avx2

SIZES = {"efficientnet_b2": 288, "xception": 224, "resnet50": 224, "densenet121": 224, "convnext_tiny": 224}
TURNS = [(1, 2, 6), (6, 2, 2), (16, 2, 1)]


def export(name, path):
    """Writes the network as ONNX with a free batch."""
    import timm
    import torch
    import torchvision

    torch.manual_seed(0)
    if name == "xception":
        network = timm.create_model("legacy_xception", num_classes=0)
    else:
        network = getattr(torchvision.models, name)(weights=None)
        for head in ("classifier", "fc"):
            if hasattr(network, head):
                setattr(network, head, torch.nn.Flatten())
    size = SIZES[name]
    # Statistics of the norms as if trained, so that numbers keep their size from layer to layer.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(torch.randn(4, 3, size, size))
    network.eval()
    axes = {"frames": {0: "batch"}, "vectors": {0: "batch"}}
    torch.onnx.export(network, (torch.zeros(1, 3, size, size),), path, input_names=["frames"],
                      output_names=["vectors"], dynamic_axes=axes, opset_version=17, dynamo=False)


def instruction_set():
    """The instruction set that ONNX Runtime and OpenVINO choose, by their rules: they do not tell."""
    flags = set(next(line for line in open("/proc/cpuinfo") if line.startswith("flags")).split())
    if "ONEDNN_MAX_CPU_ISA" not in os.environ and {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        return "avx512 with vnni" if "avx512_vnni" in flags else "avx512"
    return "avx2"


def serve(kind, path, size):
    """Answers `BATCH THREADS RUNS` with the seconds of each run of ONNX Runtime or OpenVINO."""
    import numpy

    sessions = {}

    def session(batch, threads):
        frames = numpy.random.default_rng(1).uniform(-1, 1, (batch, 3, size, size)).astype(numpy.float32)
        if kind == "onnxruntime":
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            network = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            return lambda: network.run(None, {"frames": frames})
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape([batch, 3, size, size])
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        return lambda: request.infer({0: frames})

    print("instruction set", instruction_set(), flush=True)
    print("ready", flush=True)
    for line in sys.stdin:
        batch, threads, runs = map(int, line.split())
        if (batch, threads) not in sessions:
            sessions[batch, threads] = session(batch, threads)
        run = sessions[batch, threads]
        run()
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        print(*seconds, flush=True)


class Contender:
    """A process that runs networks on demand."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})
        self.instruction_set = ""
        while (line := self.process.stdout.readline().strip()) != "ready":
            if line.startswith("instruction set "):
                self.instruction_set = line.removeprefix("instruction set ")
            if self.process.poll() is not None:
                sys.exit(f"{command} ended with {self.process.returncode}")

    def cpu_seconds(self):
        folder = f"/proc/{self.process.pid}/task"
        return sum(int(open(f"{folder}/{task}/schedstat").read().split()[0]) for task in os.listdir(folder)) * 1e-9

    def turn(self, batch, threads, runs):
        """Median seconds and mean CPU seconds of a run."""
        self.process.stdin.write(f"{batch} {threads} {runs}\n")
        self.process.stdin.flush()
        before = self.cpu_seconds()
        seconds = [float(word) for word in self.process.stdout.readline().split()]
        # The run that warms up counts here and not among the seconds.
        return statistics.median(seconds), (self.cpu_seconds() - before) / (runs + 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--network", default="efficientnet_b2", choices=SIZES)
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--one-thread", action="store_true")
    parser.add_argument("--models", default=tempfile.gettempdir(), help="where exported networks are kept")
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--other", action="append", default=[])
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve[0], options.serve[1], SIZES[options.network])

    path = os.path.join(options.models, f"{options.network}_vectors.onnx")
    if not os.path.exists(path):
        export(options.network, path)
    held = {"ECHOLABEL_KERNELS": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"} if options.avx2 else {}
    myself = [sys.executable, __file__, options.encoders, "--network", options.network, "--serve"]
    paths = {"onnxruntime": path, "openvino": path}
    ours = [options.encoders, "--serve", options.network]
    contenders = {}
    if options.int8:
        import quantized

        size = SIZES[options.network]
        paths = {"onnxruntime": quantized.for_onnxruntime(path, size), "openvino": quantized.for_openvino(path, size)}
        contenders["kernels"] = Contender([*ours, "--int8"], held)
        contenders["single"] = Contender(ours, held)
    else:
        contenders["kernels"] = Contender(ours, held)
    environments = {"onnxruntime": held, "openvino": held}
    if options.avx2:
        environments["onnxruntime"] = {**held, "PYTHONPATH": onnxruntime_avx2.folder(options.models)}
    for kind, environment in environments.items():
        contenders[kind] = Contender([*myself, kind, paths[kind]], environment)
    for other in options.other:
        name, command = other.split("=", 1)
        contenders[name] = Contender(command.split(), held)

    for name, contender in contenders.items():
        print(f"{name}: {contender.instruction_set or 'instruction set unknown'}", flush=True)
    rows = []
    for batch, threads, runs in [(1, 1, 3)] if options.one_thread else TURNS:
        turns = {name: [] for name in contenders}
        for contender in contenders.values():
            contender.turn(batch, threads, 1)
        for _ in range(options.rounds):
            for name, contender in contenders.items():
                turns[name].append(contender.turn(batch, threads, runs))
        for name, own in turns.items():
            wall, cpu = ([turn[kind] * 1e3 / batch for turn in own] for kind in (0, 1))
            ratios = [[turn[kind] / kernels[kind] for turn, kernels in zip(own, turns["kernels"])] for kind in (0, 1)]
            print(f"{options.network} batch {batch:2} threads {threads} {name:12} {statistics.median(wall):7.2f} ms per frame"
                  f" (least {min(wall):6.2f}), CPU {statistics.median(cpu):7.2f}; against the kernels: time"
                  f" {figures.told(ratios[0])}, CPU {figures.told(ratios[1])}", flush=True)
            rows.append({"network": options.network, "batch": batch, "threads": threads, "contender": name,
                         "ms_a_frame": statistics.median(wall), "cpu_ms_a_frame": statistics.median(cpu),
                         "over_kernels": {"time": figures.spread(ratios[0]), "cpu_time": figures.spread(ratios[1])}})
    sets = {name: contender.instruction_set for name, contender in contenders.items()}
    figures.write(options.json, {"avx2": options.avx2, "instruction_sets": sets, "int8": options.int8,
                                 "rounds": options.rounds, "rows": rows})


if __name__ == "__main__":
    main()
