"""Reference numbers of EchoPrime's view classifier and of the preparation of its frames, by torchvision and OpenCV.

    .venv-peers/bin/python tools/peers/reference/echo_prime.py fixtures/golden
"""
import pathlib
import sys

import cv2
import numpy as np
import torch
import torchvision

import formula
import network

MEAN = np.array([29.110628, 28.076836, 29.096405], np.float32)
STD = np.array([47.989223, 46.456997, 47.20083], np.float32)
SIZE = 224
STEPS = 10
# Height, width, frames, and whether a color box lies in the sector.
CASES = [(240, 320, 4, False), (434, 636, 6, True), (300, 280, 3, False), (224, 225, 2, True)]


def frames_rgb(height, width, count, color):
    """A loop [T, H, W, 3]: a gray sector that moves on a gray ground, a banner that stands, a trace, a box with colors."""
    loop = np.zeros((count, height, width, 3), np.uint8)
    for t in range(count):
        gray = formula.sector_u8("echo_prime", height, width, 1, t)[:, :, 0]
        gray[height // 8 :][gray[height // 8 :] == 0] = 60
        gray[: height // 12] = formula.image_u8("banner", height // 12, width, 1, 0)[:, :, 0]
        gray[height - height // 16, (3 * t) % width :: 7] = 200
        loop[t] = gray[:, :, None]
        if color:
            box = (slice(height // 3, height // 2), slice(2 * width // 5, 3 * width // 5))
            loop[t][box] = formula.image_u8("color", height, width, 3, t)[box]
    return loop


def ybr_of(rgb):
    """The planes of YBR_FULL, as they lie in most files; the authors read these."""
    r, g, b = (rgb[..., k].astype(np.float64) for k in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return np.floor(np.clip(np.stack([y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402], -1), 0, 255) + 0.5).astype(np.uint8)


def visible(ybr):
    """The region [H, W] that stays: lit and changing, without thin lines, made convex."""
    luma = [cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB), cv2.COLOR_RGB2GRAY) for frame in ybr]
    square = np.ones((3, 3), np.uint8)
    lit = cv2.erode(np.any([plane > 0 for plane in luma], 0).astype(np.uint8), square, iterations=STEPS)
    changes = (luma[0] != luma[-1]).astype(np.uint8)
    changes[:20, :20] = 0
    region = cv2.dilate(lit & changes, square, iterations=STEPS)
    region = filled(region)
    contours, _ = cv2.findContours(region * 255, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        cv2.drawContours(region, [cv2.convexHull(contour)], -1, 1, 3)
    return filled(region)


def filled(region):
    """Everything that the top left corner is not joined with."""
    region = region.copy()
    cv2.floodFill(region, None, (0, 0), 100)
    return (region != 100).astype(np.uint8)


def cropped(image):
    """A square from the middle, a tenth of it cut off at each side."""
    height, width = image.shape[:2]
    across, down = int(round((width - height) / 2)), int(round((height - width) / 2))
    image = image[:, across:-across] if across > 0 else image
    image = image[down:-down] if down > 0 else image
    down, across = int(image.shape[0] * 0.1), int(image.shape[1] * 0.1)
    return image[down:-down, across:-across]


def resized(frames):
    """Bytes [T, H, W, 3] as the network's size asks for."""
    return np.stack([cv2.resize(cropped(frame), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for frame in frames])


def normalized(images):
    """What the network is fed, [T, 3, H, W]."""
    return ((images.astype(np.float32) - MEAN) / STD).transpose(0, 3, 1, 2)


def preparation():
    """Cases of loops from RGB to what the network is fed."""
    cases = []
    for height, width, count, color in CASES:
        ybr = ybr_of(frames_rgb(height, width, count, color))
        region = visible(ybr)
        bgr = [cv2.cvtColor(frame, cv2.COLOR_YUV2BGR) for frame in ybr]
        masked = normalized(resized([frame * region[:, :, None] for frame in bgr]))
        cases.append({"src": [height, width], "frames": count, "color": color,
                      "unmasked": formula.digest(normalized(resized(bgr)), 512),
                      "masked_mean": float(masked.astype(np.float64).mean())})
    return {"echo_prime": cases, "framework": f"OpenCV {cv2.__version__}", "seed": formula.SEED}


def main():
    out = pathlib.Path(sys.argv[1])
    cv2.setNumThreads(1)
    # The library's own resizing, which every processor computes alike.
    cv2.ipp.setUseIPP(False)
    formula.write_json(out / "echo_prime_preparation.json", preparation())
    classifier = torchvision.models.convnext_base(weights=None, num_classes=11)
    network.write(out / "echo_prime_view_classifier.json", "echo_prime_view_classifier", classifier, 64, "torchvision.convnext_base")


if __name__ == "__main__":
    main()
