"""Views of transthoracic echo loops (DICOM), as numpy and pandas see them.

>>> import echolabel, pandas
>>> labels = pandas.DataFrame(echolabel.label("study/"))
>>> loop = echolabel.open("study/loop.dcm"); loop.frames().shape

The program of the same name does the work, and is in the wheel. Files that cannot be read have a row with ``error``, as its
``label --json`` has; names and paths of patients are in nothing but the path that was given.
"""

from ._loop import Clip, Loop, PlannedFrame, Rectangle, open
from ._program import EcholabelError, program
from ._tables import Label, inventory, label

__all__ = [
    "Clip",
    "EcholabelError",
    "Label",
    "Loop",
    "PlannedFrame",
    "Rectangle",
    "inventory",
    "label",
    "open",
    "program",
]
