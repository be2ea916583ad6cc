#!/usr/bin/env python3
"""Sorts DICOM files and their frames into a corpus for each fuzz target: fuzz_corpus.py OUT FILE_OR_FOLDER..."""

import pathlib
import struct
import sys

TARGETS = {
    b"1.2.840.10008.1.2.4.50": "jpeg",
    b"1.2.840.10008.1.2.4.70": "jpeg",
    b"1.2.840.10008.1.2.4.80": "jpeg_ls",
    b"1.2.840.10008.1.2.4.81": "jpeg_ls",
    b"1.2.840.10008.1.2.4.90": "jpeg_2000",
    b"1.2.840.10008.1.2.4.91": "jpeg_2000",
    b"1.2.840.10008.1.2.4.201": "jpeg_2000",
    b"1.2.840.10008.1.2.4.203": "jpeg_2000",
    b"1.2.840.10008.1.2.4.100": "video",
    b"1.2.840.10008.1.2.4.102": "video",
    b"1.2.840.10008.1.2.4.107": "video",
    b"1.2.840.10008.1.2.4.110": "jpeg_xl",
    b"1.2.840.10008.1.2.4.112": "jpeg_xl",
    b"1.2.840.10008.1.2.5": "rle",
    b"1.2.840.10008.1.2.8.1": "deflated_frame",
}
PIXEL_DATA = bytes([0xE0, 0x7F, 0x10, 0x00])
REGIONS = bytes([0x18, 0x00, 0x11, 0x60])
ITEM = bytes([0xFE, 0xFF, 0x00, 0xE0])
# Longer inputs are changed too rarely in the places that matter.
MAX_BYTES = 200_000


def first_frame(file):
    """The value of the second item of the pixel data: the first is the offset table."""
    at = file.rfind(PIXEL_DATA)
    if at < 0 or file[at + 12:at + 16] != ITEM:
        return None
    table, = struct.unpack_from("<I", file, at + 16)
    at += 20 + table
    if file[at:at + 4] != ITEM:
        return None
    length, = struct.unpack_from("<I", file, at + 4)
    return file[at + 8:at + 8 + length]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    files = []
    for given in map(pathlib.Path, sys.argv[2:]):
        files += sorted(given.rglob("*.dcm")) if given.is_dir() else [given]
    for number, path in enumerate(files):
        file = path.read_bytes()
        uid = file[132:600]
        pixels = file.rfind(PIXEL_DATA)
        pieces = [("header", file), ("pixel_items", file[pixels:] if pixels > 0 else None)]
        regions = file.find(REGIONS)
        if 0 < regions < pixels:
            pieces.append(("elements", file[regions:pixels]))
        # Behind a UID stands its padding, or the next element of group 0002 or 0008.
        named = [target for syntax, target in TARGETS.items()
                 if any(syntax + end in uid for end in (b"\x00", b"\x02", b"\x08"))]
        pieces += [(target, first_frame(file)) for target in named[:1]]
        for target, piece in pieces:
            if piece and len(piece) <= MAX_BYTES:
                (out / target).mkdir(parents=True, exist_ok=True)
                (out / target / f"{number}").write_bytes(piece)


if __name__ == "__main__":
    main()
