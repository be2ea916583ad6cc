"""Reference numbers of EfficientNet-Lite, by the code of the PyPI package `efficientnet_lite_pytorch`.

    .venv-peers/bin/python tools/peers/reference/efficientnet_lite.py fixtures/golden
"""
import pathlib
import sys

from efficientnet_lite_pytorch import EfficientNet

import network

# Sides that leave odd maps on the way, where paddings differ.
SIDES = {"efficientnet_lite0": 64, "efficientnet_lite1": 72, "efficientnet_lite2": 60}


def main():
    out = pathlib.Path(sys.argv[1])
    for name, side in SIDES.items():
        model = EfficientNet.from_name(name.replace("_", "-"), image_size=side, num_classes=11)
        network.write(out / f"{name}.json", name, model, side, f"efficientnet_lite_pytorch.{name}", 1.4)


if __name__ == "__main__":
    main()
