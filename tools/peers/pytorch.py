"""Times the registry's encoders beside PyTorch, in turns, on the machine that it runs on.

    pip install numpy torch torchvision timm
    cargo build --release -p zoo --example serve_encoder
    OMP_WAIT_POLICY=PASSIVE python pytorch.py [--rounds 5] [--threads 2] [--batch 6] [--json FILE] SERVE_ENCODER [NAME...]

SERVE_ENCODER is the example that was built. PyTorch runs eagerly, once in its default layout and once channels last; the
faster counts. In every round each contender has its turn (`peers.py` says how), so that other load falls on all. Printed
for each network and batch are medians of milliseconds for a frame (a clip for those that see clips), and the median of the
rounds' ratios, with their range: above 1 ours is faster. CPU time is that of all threads. Weights are random on both
sides. Encoders with Keras' names have the layers of their namesakes and are not timed again.
"""

import argparse
import os
import statistics
import sys
import time

import figures
from peers import Contender

# Side of the frames, frames of a clip, and where the network comes from.
NETWORKS = {
    "efficientnet_b2": (288, None, "torchvision", "efficientnet_b2"),
    "efficientnet_v2_s": (224, None, "torchvision", "efficientnet_v2_s"),
    "xception": (224, None, "timm", "legacy_xception"),
    "resnet50": (224, None, "torchvision", "resnet50"),
    "resnet101": (224, None, "torchvision", "resnet101"),
    "densenet121": (224, None, "torchvision", "densenet121"),
    "convnext_tiny": (224, None, "torchvision", "convnext_tiny"),
    "convnext_base": (224, None, "torchvision", "convnext_base"),
    "vit_s_16": (224, None, "timm", "vit_small_patch16_224"),
    "vit_b_16": (224, None, "torchvision", "vit_b_16"),
    "swin_v2_t": (224, None, "torchvision", "swin_v2_t"),
    "swin_v2_b": (224, None, "torchvision", "swin_v2_b"),
    "r2plus1d_18": (112, 16, "video", "r2plus1d_18"),
    "slow_r50": (224, 8, "here", "slow_r50"),
}
LAYOUTS = ("default", "channels_last")


def build(name):
    """The network without its classifier."""
    import torch

    _, _, source, theirs = NETWORKS[name]
    torch.manual_seed(0)
    if source == "timm":
        import timm

        return timm.create_model(theirs, num_classes=0).eval()
    if source == "here":
        import slow_r50

        return slow_r50.slow_r50().eval()
    import torchvision

    models = torchvision.models.video if source == "video" else torchvision.models
    network = getattr(models, theirs)(weights=None)
    for head in ("classifier", "fc", "heads", "head"):
        if hasattr(network, head):
            setattr(network, head, torch.nn.Flatten())
    return network.eval()


def serve(name, layout):
    """Answers `BATCH THREADS RUNS` with the seconds of each run of PyTorch."""
    import torch

    side, clip, _, _ = NETWORKS[name]
    network = build(name)
    memory = torch.contiguous_format
    if layout == "channels_last":
        memory = torch.channels_last_3d if clip else torch.channels_last
    network = network.to(memory_format=memory)
    print("ready", flush=True)
    for line in sys.stdin:
        batch, threads, runs = map(int, line.split())
        torch.set_num_threads(threads)
        shape = (batch, 3, clip, side, side) if clip else (batch, 3, side, side)
        frames = torch.rand(shape).to(memory_format=memory)
        seconds = []
        with torch.inference_mode():
            network(frames)
            for _ in range(runs):
                start = time.perf_counter()
                network(frames)
                seconds.append(time.perf_counter() - start)
        print(*seconds, flush=True)


def compare(name, options):
    """Prints the figures of one network and returns them, a row for each batch."""
    side, clip, _, _ = NETWORKS[name]
    ours = [options.serve_encoder, name, str(side), *([str(clip)] if clip else [])]
    contenders = {"ours": Contender(ours, {})}
    for layout in LAYOUTS:
        contenders[layout] = Contender([sys.executable, __file__, options.serve_encoder, "--serve", name, layout], {})
    rows = []
    for batch in (1,) if clip else options.batch or (1, 6):
        turns = {contender: [] for contender in contenders}
        for _ in range(options.rounds):
            for contender, process in contenders.items():
                turns[contender].append(process.turn(batch, options.threads, max(1, 3 // batch)))
        row = {"network": name, "batch": batch}
        for kind, measure in enumerate(("wall", "CPU")):
            times = {contender: [turn[kind] for turn in of_rounds] for contender, of_rounds in turns.items()}
            medians = {contender: statistics.median(own) * 1e3 / batch for contender, own in times.items()}
            faster = min(LAYOUTS, key=medians.get)
            ratios = [theirs / own for theirs, own in zip(times[faster], times["ours"])]
            print(f"{name:18} batch {batch} {measure:4}: {medians['ours']:7.1f} ms, PyTorch {medians[faster]:7.1f} ms "
                  f"({faster}): {figures.told(ratios)}", flush=True)
            row[measure] = {"ours_ms": medians["ours"], "pytorch_ms": medians[faster], "layout": faster,
                            "ratio": figures.spread(ratios)}
        rows.append(row)
    for process in contenders.values():
        process.process.kill()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("serve_encoder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, action="append")
    parser.add_argument("--json", help="a file for the figures")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(*options.serve)
    if os.environ.get("OMP_WAIT_POLICY") != "PASSIVE":
        print("without OMP_WAIT_POLICY=PASSIVE PyTorch's threads spin against each other on shared cores", file=sys.stderr)
    rows = [row for name in options.names or NETWORKS for row in compare(name, options)]
    figures.write(options.json, {"threads": options.threads, "rounds": options.rounds, "rows": rows})


if __name__ == "__main__":
    main()
