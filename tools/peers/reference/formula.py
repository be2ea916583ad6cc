"""Weights, images and digests by formula, as `crates/zoo/src/weights/fill.rs` and `crates/parity/src/inputs.rs` make them.

Integers and IEEE-754 doubles only, so that both sides make the same bits.
"""
import json
import math

import numpy as np

SEED = "echolabel-golden-v1"
GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)
MASK_64 = (1 << 64) - 1


def fnv1a64(data):
    """FNV-1a of bytes, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK_64
    return value


def stream(name, count, start=0):
    """Words `start` to `start + count` of the stream `name`: the finalizer of splitmix64."""
    key = np.uint64(fnv1a64(f"{SEED}/{name}".encode()))
    with np.errstate(over="ignore"):
        z = key + np.arange(start + 1, start + count + 1, dtype=np.uint64) * GOLDEN_RATIO
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def tensor(name, shape, center, half):
    """A float32 tensor whose elements lie within `half` of `center`."""
    count = int(np.prod(shape, dtype=np.int64)) if len(shape) else 1
    uniform = (stream(name, count) >> np.uint64(40)).astype(np.float64) / 16777216.0
    return (center + half * (2.0 * uniform - 1.0)).astype(np.float32).reshape(shape)


def checksum(values):
    """The checksum by which a reader sees that its formula gives the same numbers."""
    bits = np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        return format(int((bits * (np.arange(bits.size, dtype=np.uint64) * np.uint64(2) + np.uint64(1))).sum(dtype=np.uint64)), "016x")


def torch_rule(name, shape, gain):
    """Center and half width of a tensor of a torch state dict; None for counters."""
    last = name.split(".")[-1]
    if last == "num_batches_tracked":
        return None
    if last in ("running_var", "layer_scale"):
        return 1.0, 0.5
    if last in ("running_mean", "bias"):
        return 0.0, 0.1
    if len(shape) == 1:
        return 1.0, 0.5
    return 0.0, gain * math.sqrt(3.0 / int(np.prod(shape[1:])))


def image_u8(name, height, width, channels=3, t=0):
    """Bytes [height, width, channels]: a chirp that moves with `t`, mixed with noise."""
    y = np.arange(height, dtype=np.int64)[:, None, None] + 2 * t
    x = np.arange(width, dtype=np.int64)[None, :, None] + 3 * t
    k = np.arange(channels, dtype=np.int64)[None, None, :]
    chirp = ((x * x * (3 + k) + y * y * (5 - k) + 2 * x * y) >> 5) & 255
    count = height * width * channels
    noise = (stream("image/" + name, count, t * count) >> np.uint64(56)).astype(np.int64)
    return ((3 * chirp + noise.reshape(height, width, channels)) >> 2).astype(np.uint8)


def sector_u8(name, height, width, channels=3, t=0):
    """The same at half brightness in a fan, black outside it."""
    y = np.arange(height, dtype=np.int64)[:, None]
    x = np.arange(width, dtype=np.int64)[None, :]
    inside = np.abs(2 * x - (width - 1)) <= y + height // 8
    return (image_u8(name, height, width, channels, t) >> 1) * inside[:, :, None].astype(np.uint8)


def single(value):
    """The shortest decimal that reads back as the same float32."""
    return float(np.format_float_scientific(np.float32(value), unique=True, trim="0"))


def full(values):
    """All numbers of an array."""
    values = np.asarray(values)
    return {"shape": list(values.shape), "dtype": str(values.dtype), "data": [single(v) for v in values.reshape(-1)]}


def digest(values, samples=64):
    """Statistics, the first 8 numbers and some at even distances."""
    values = np.asarray(values)
    flat = values.reshape(-1)
    wide = flat.astype(np.float64)
    strided = [flat[k * flat.size // samples] for k in range(samples)]
    return {"shape": list(values.shape), "mean": float(wide.mean()), "std": float(wide.std()),
            "absmax": float(np.abs(wide).max()), "first8": [single(v) for v in flat[:8]],
            "stride_samples": [single(v) for v in strided]}


def write_json(path, content):
    """Writes one key a line, and one row of a list a line."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join(" " + json.dumps(row) for row in value)
            lines.append(f"{json.dumps(key)}: [\n{rows}]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
