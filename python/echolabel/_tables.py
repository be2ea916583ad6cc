"""Labels of files and inventories of databases, one row a loop."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypedDict

from ._program import EcholabelError, PathLike, json_lines


class Label(TypedDict, total=False):
    """A line of ``echolabel label --json``: docs/json.md explains the fields. Others may be added."""

    path: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    pipeline: str
    weights_sha256: str
    mode: str
    view: str | None
    confidence: float
    abstained: bool
    skipped: bool
    standing: str
    reason: str | None
    probabilities: dict[str, float]
    prediction_set: list[str]
    clips: int
    frames_used: int
    ecg_source: str
    ms: dict[str, float]
    findings: list[dict[str, str]]
    error: dict[str, str]


def label(paths: PathLike | Iterable[PathLike], *, pipeline: str | None = None, models: PathLike | None = None) -> list[Label]:
    """Labels files and folders, in one process for all of them.

    Args:
        paths: a file or folder, or several.
        pipeline: a name of the program's pipelines or models, or a TOML file; the program's default without it.
        models: folder of weight files.

    Returns:
        One dictionary a file, for ``pandas.DataFrame``. A file that failed has ``path`` and ``error``.

    Raises:
        EcholabelError: nothing could be labelled: no such path, pipeline or model.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        return []
    # Behind "--" a name that begins with a dash is a name.
    options = [*_option("--pipeline", pipeline), *_option("--models", models)]
    return list(json_lines(["label", "--json", *options, "--", *given]))


def inventory(db: PathLike, study: str | None = None) -> list[dict[str, Any]]:
    """Returns the inventory of a database, one dictionary a study as ``echolabel inventory --json`` prints it.

    Args:
        db: the database of ``echolabel watch``.
        study: number of a study in the inventory, or the beginning of its UID; all studies without it.

    Raises:
        EcholabelError: there is no such database or study.
    """
    if not os.path.isfile(db):
        raise EcholabelError(f"there is no database {os.fspath(db)}")
    return list(json_lines(["inventory", "--json", "--db", db, *([study] if study else [])]))


def _option(name: str, value: PathLike | None) -> list[PathLike]:
    return [] if value is None else [name, value]
