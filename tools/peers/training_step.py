"""A training step of EfficientNet-B2, ours against PyTorch's, in turns in one run.

    cargo build --release -p nn --example training_step
    python training_step.py TARGET/release/examples/training_step --batch 16 --rounds 7

On shared cores give PyTorch OMP_WAIT_POLICY=PASSIVE and ours CANDLE_NUM_THREADS=1, since threads of either otherwise wait
by spinning; for a run on one thread add RAYON_NUM_THREADS=1. The example's page tells of memory settings for both.

Needs torch and torchvision. Prints the images per second of each round, and the median of the rounds' own ratios, which
is what to trust where the machine is shared.
"""

import argparse
import subprocess
import time

import figures
import torch
import torchvision

SIZE, CLASSES = 224, 11


class Torch:
    def __init__(self, batch, memory_format):
        self.model = torchvision.models.efficientnet_b2(num_classes=CLASSES).train().to(memory_format=memory_format)
        self.images = torch.randn(batch, 3, SIZE, SIZE).contiguous(memory_format=memory_format)
        self.labels = torch.arange(batch) % CLASSES

    def step(self):
        self.model.zero_grad(set_to_none=True)
        start = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        return len(self.images) / (time.perf_counter() - start)


class Ours:
    def __init__(self, program, batch, threads):
        command = [program, str(batch), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def step(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("our program ended early")
        return float(line.split()[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="a file for the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    peers = {
        "ours": Ours(arguments.program, arguments.batch, arguments.threads),
        "torch": Torch(arguments.batch, torch.contiguous_format),
        "torch channels_last": Torch(arguments.batch, torch.channels_last),
    }
    for peer in peers.values():
        peer.step()
    rounds = []
    for _ in range(arguments.rounds):
        rounds.append({name: peer.step() for name, peer in peers.items()})
        print("  ".join(f"{name} {rate:.2f}/s" for name, rate in rounds[-1].items()), flush=True)
    ratios = {name: [entry["ours"] / entry[name] for entry in rounds] for name in list(peers)[1:]}
    for name, own in ratios.items():
        print(f"ours / {name}: {figures.told(own)}")
    figures.write(arguments.json, {"batch": arguments.batch, "images_per_second": rounds,
                                   "ratios": {name: figures.spread(own) for name, own in ratios.items()}})


if __name__ == "__main__":
    main()
