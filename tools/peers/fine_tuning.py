"""Fine-tuning of EfficientNet-B2 at 224, batch 16: `echolabel train` against PyTorch, in turns in one run.

    python fine_tuning.py target/release/echolabel [--rounds 5] [--json FILE]

A turn of ours is a run of `fine_tuning.toml` from its start: batches drawn and augmented, forward, backward, gradients
clipped, AdamW. A turn of PyTorch's is as many steps in eager mode, default layout and channels last, on a batch that is
there already. The first step of a turn counts for nobody. On shared cores give OMP_WAIT_POLICY=PASSIVE, as `echolabel
bench --peers` does. Needs torch and torchvision. Printed are images per second and the rounds' ratios.
"""

import argparse
import csv
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import figures

RECIPE = pathlib.Path(__file__).with_name("fine_tuning.toml")
SIZE, CLASSES, BATCH, STEPS = 224, 11, 16, 6


class Torch:
    """PyTorch's loop in one layout."""

    def __init__(self, layout):
        import torch
        import torchvision

        memory = getattr(torch, layout)
        self.torch = torch
        self.model = torchvision.models.efficientnet_b2(num_classes=CLASSES).train().to(memory_format=memory)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=5e-4, weight_decay=0.01)
        self.images = torch.randn(BATCH, 3, SIZE, SIZE).contiguous(memory_format=memory)
        self.labels = torch.arange(BATCH) % CLASSES

    def step(self):
        """Seconds of one step."""
        start = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        self.torch.nn.functional.cross_entropy(self.model(self.images), self.labels).backward()
        self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return time.perf_counter() - start

    def turn(self):
        """Images per second."""
        return BATCH / statistics.median([self.step() for _ in range(STEPS)][1:])


def our_turn(program, cache):
    """Images per second of `echolabel train`."""
    with tempfile.TemporaryDirectory(prefix="echolabel-fine-tuning-") as folder:
        run = pathlib.Path(folder, "run")
        command = [program, "train", RECIPE, "--out", run, "--cache", cache]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"echolabel train ended with {done.returncode}:\n{done.stderr}")
        with open(run / "steps.csv") as file:
            rates = [float(row["clips_per_s"]) for row in csv.DictReader(file)]
    return statistics.median(rates[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("echolabel")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    if os.environ.get("OMP_WAIT_POLICY") != "PASSIVE":
        print("without OMP_WAIT_POLICY=PASSIVE PyTorch's threads spin against each other on shared cores", file=sys.stderr)
    import torch

    torch.set_num_threads(options.threads)
    peers = {layout: Torch(layout) for layout in ("contiguous_format", "channels_last")}
    with tempfile.TemporaryDirectory(prefix="echolabel-fine-tuning-cache-") as cache:
        our_turn(options.echolabel, cache)
        rounds = []
        for _ in range(options.rounds):
            rounds.append({"ours": our_turn(options.echolabel, cache), **{name: peer.turn() for name, peer in peers.items()}})
            print("  ".join(f"{name} {rate:.2f} images/s" for name, rate in rounds[-1].items()), flush=True)
    ratios = {name: [entry["ours"] / entry[name] for entry in rounds] for name in peers}
    for name, own in ratios.items():
        print(f"ours / PyTorch {name}: {figures.told(own)}")
    figures.write(options.json, {"images_per_second": rounds,
                                 "ratios": {name: figures.spread(own) for name, own in ratios.items()}})


if __name__ == "__main__":
    main()
