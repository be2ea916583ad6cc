"""The module as a researcher uses it, on a simulated study."""

import json
import pathlib
import subprocess

import echolabel
import numpy
import pandas
import pydicom
import pytest

TINY = "tte11-tiny"


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A simulated study: its folder, and the truth of each loop by file name."""
    out = tmp_path_factory.mktemp("phantom") / "studies"
    command = [echolabel.program(), "phantom", "--small", "--studies", "1", "--seed", "5", "--out", out]
    folder = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    with open(f"{folder}/truth.json") as file:
        truth = {entry["file"]: entry for entry in json.load(file)["loops"]}
    return folder, truth


@pytest.fixture(scope="session")
def labels(study):
    return pandas.DataFrame(echolabel.label(study[0], pipeline=TINY))


def loop_path(study, **wanted):
    folder, truth = study
    name = next(n for n, t in truth.items() if n.endswith(".dcm") and all(t[k] == v for k, v in wanted.items()))
    return f"{folder}/{name}", truth[name]


def test_a_study_is_a_table_in_pandas(study, labels):
    folder, truth = study
    assert len(labels) == len([name for name in truth if name.endswith(".dcm")])
    assert set(labels["sop_instance_uid"]) == {t["sop_instance_uid"] for t in truth.values()}
    assert labels["confidence"].dropna().between(0, 1).all()


def test_a_loop_is_as_its_truth_and_pydicom_say(study):
    path, truth = loop_path(study, mode="2d")
    loop = echolabel.open(path)
    data = pydicom.dcmread(path)
    assert loop.header["sop_instance_uid"] == truth["sop_instance_uid"] == data.SOPInstanceUID
    assert loop.frame_time_ms == pytest.approx(truth["frame_time_ms"], rel=0.01)
    assert loop.mode == "2d" and loop.sector is not None and loop.sector.x1 < loop.header["columns"]
    assert len(loop.beats) == max(len(loop.r_peaks) - 1, 0)
    assert loop.plan and all(0 <= f.index < loop.header["frames"] for clip in loop.plan for f in clip.frames)
    frames = loop.frames()
    assert frames.shape == (int(data.NumberOfFrames), data.Rows, data.Columns, 3) and frames.dtype == numpy.uint8


def test_frames_come_in_the_order_that_was_asked_for(study):
    loop = echolabel.open(loop_path(study, mode="2d")[0])
    everything = loop.frames()
    assert numpy.array_equal(loop.frames([3, 0, 3]), everything[[3, 0, 3]])
    assert loop.frames([]).shape == (0, *everything.shape[1:])
    assert (everything[0] != everything[3]).any()


def test_uncompressed_pixels_are_those_of_pydicom(study):
    folder, truth = study
    for name in truth:
        data = pydicom.dcmread(f"{folder}/{name}")
        if not data.file_meta.TransferSyntaxUID.is_compressed and data.PhotometricInterpretation == "RGB":
            pixels = data.pixel_array
            pixels = pixels if pixels.ndim == 4 else pixels[None]
            assert numpy.array_equal(echolabel.open(f"{folder}/{name}").frames(), pixels)
            return
    pytest.skip("the study has no uncompressed loop in color")


def test_an_inventory_is_read_from_a_database(study, tmp_path):
    db = tmp_path / "lab.sqlite"
    command = [echolabel.program(), "watch", study[0], "--once", "--pipeline", TINY, "--db", db]
    subprocess.run(command, check=True, capture_output=True)
    (inventory,) = echolabel.inventory(db)
    assert inventory == echolabel.inventory(db, "1")[0]
    assert pandas.json_normalize(inventory).shape[0] == 1


def test_what_cannot_be_read_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = "-broken.dcm"
    pathlib.Path(broken).write_bytes(b"\0" * 128 + b"DICM" + b"\x09" * 60)
    (row,) = echolabel.label(broken, pipeline=TINY)
    assert row["error"]["kind"] and "view" not in row
    with pytest.raises(echolabel.EcholabelError) as refused:
        echolabel.open(broken)
    assert refused.value.kind and str(refused.value)
    for call in (
        lambda: echolabel.open(tmp_path / "nothing.dcm"),
        lambda: echolabel.label(broken, pipeline="no-such-pipeline"),
        lambda: echolabel.inventory(tmp_path / "nothing.sqlite"),
    ):
        with pytest.raises(echolabel.EcholabelError):
            call()
    assert echolabel.label([]) == []


def test_a_frame_that_is_not_there_is_an_error(study):
    loop = echolabel.open(loop_path(study, mode="2d")[0])
    with pytest.raises(echolabel.EcholabelError, match="frame"):
        loop.frames([10_000])
