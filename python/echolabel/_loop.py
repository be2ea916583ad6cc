"""One loop: its header, beats, sampled frames and pixels."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._program import EcholabelError, PathLike, run

if TYPE_CHECKING:
    import numpy
    import numpy.typing


class Rectangle(NamedTuple):
    """Pixels of an image, both corners included."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True)
class PlannedFrame:
    """A frame that a model sees. ``phase`` is a landmark's name, a fraction of the R-R interval, or None."""

    index: int
    phase: str | float | None


@dataclass(frozen=True)
class Clip:
    """The frames that are sampled from one beat; ``beat`` is None where no beat is known."""

    beat: int | None
    frames: list[PlannedFrame]


@dataclass(frozen=True)
class Loop:
    """A DICOM loop, as ``echolabel inspect --json`` describes it.

    Attributes:
        path: the file.
        header: everything that was found, with the names of docs/json.md.
        plan: the clips that the pipeline samples.
    """

    path: Path
    header: dict[str, Any]
    plan: list[Clip]

    @property
    def mode(self) -> str:
        """``2d``, ``colour``, ``pw``, ``cw``, ``tissue_doppler``, ``m_mode``, ``dual`` or ``other``."""
        return str(self.header["mode"])

    @property
    def frame_time_ms(self) -> float:
        """Time from one frame to the next; 0 for a still."""
        return float(self.header["frame_time_ms"])

    @property
    def sector(self) -> Rectangle | None:
        """The ultrasound image in the frame."""
        sector = self.header["sector"]
        return Rectangle(**sector) if sector else None

    @property
    def r_peaks(self) -> list[float]:
        """R peaks as frame indexes; fractions lie between frames."""
        return list(self.header["ecg"]["r_peaks"])

    @property
    def beats(self) -> list[tuple[float, float]]:
        """Whole beats, from one R peak to the next, as frame indexes."""
        return list(zip(self.r_peaks, self.r_peaks[1:]))

    def frames(self, indexes: Iterable[int] | None = None) -> numpy.typing.NDArray[numpy.uint8]:
        """Decodes frames to an array of shape ``[frames, rows, columns, 3]``, RGB.

        Args:
            indexes: frames from 0, in this order; every frame of the loop without it.

        Raises:
            EcholabelError: a frame is not there or cannot be decoded.
        """
        import numpy

        chosen = None if indexes is None else [int(index) for index in indexes]
        if chosen == []:
            return numpy.empty((0, self.header["rows"], self.header["columns"], 3), numpy.uint8)
        which = "all" if chosen is None else ",".join(map(str, chosen))
        with tempfile.TemporaryDirectory(prefix="echolabel-") as folder:
            file = os.path.join(folder, "frames.npy")
            _inspect(self.path, "--npy", file, "--frames", which)
            frames: numpy.typing.NDArray[numpy.uint8] = numpy.load(file)
            return frames


def open(path: PathLike) -> Loop:
    """Opens a loop: header, mode, regions, ECG and the frames that a model would see; no pixels are kept.

    Raises:
        EcholabelError: the file is missing, is not DICOM, or is damaged.
    """
    header = _inspect(path)
    clips = header.pop("clips")
    plan = [Clip(clip["beat"], [PlannedFrame(f["index"], f["phase"]) for f in clip["frames"]]) for clip in clips]
    return Loop(Path(path), header, plan)


def _inspect(path: PathLike, *options: PathLike) -> dict[str, Any]:
    # The program would take a name that is no file for a loop of a database.
    if not os.path.exists(path):
        raise EcholabelError(f"there is no file {os.fspath(path)}", "io")
    answer: dict[str, Any] = json.loads(run(["inspect", "--json", *options, "--", path]))
    if error := answer.get("error"):
        raise EcholabelError(error["message"], error["kind"])
    return answer
