"""The layers of PyTorchVideo's slow_r50 without its classifier, to time: the package itself does not install any more."""

from torch import nn


def conv_norm(width_in, width_out, kernel, stride=1):
    time, space = kernel
    conv = nn.Conv3d(width_in, width_out, (time, space, space), (1, stride, stride), (time // 2, space // 2, space // 2),
                     bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(width_out))


class Bottleneck(nn.Module):
    def __init__(self, width_in, inside, stride, time):
        super().__init__()
        self.branch = nn.Sequential(
            conv_norm(width_in, inside, (time, 1)), nn.ReLU(), conv_norm(inside, inside, (1, 3), stride), nn.ReLU(),
            conv_norm(inside, 4 * inside, (1, 1)))
        fits = width_in == 4 * inside
        self.shortcut = nn.Identity() if fits else conv_norm(width_in, 4 * inside, (1, 1), stride)

    def forward(self, x):
        return nn.functional.relu(self.branch(x) + self.shortcut(x))


def slow_r50():
    stem = [conv_norm(3, 64, (1, 7), 2), nn.ReLU(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))]
    blocks, width = [], 64
    for stage, (count, time) in enumerate(zip((3, 4, 6, 3), (1, 1, 3, 3))):
        for block in range(count):
            blocks.append(Bottleneck(width, 64 << stage, 2 if block == 0 and stage > 0 else 1, time))
            width = 4 * (64 << stage)
    return nn.Sequential(*stem, *blocks, nn.AvgPool3d((8, 7, 7), 1), nn.AdaptiveAvgPool3d(1), nn.Flatten())
