"""Makes a copy of the installed ONNX Runtime that does not choose AVX-512, for which it has no switch of its own.

Its kernels ask the processor for AVX-512 and the system for the wide registers (bits 5 to 7 of XCR0). The copy has the jump
after that question removed, so that it goes on as on a processor with AVX2 alone. The copy is for measuring.
"""

import importlib.util
import pathlib
import re
import shutil

# The test of AVX-512F in leaf 7 of CPUID, the test of XCR0, and the jump to what is set up for AVX-512.
CHOICE = re.compile(rb"\x00\x00\x01\x00\x74.\x4c\x89.\x48\xf7\xd0\xa8\xe0(\x0f\x84.{4})", re.DOTALL)
NO_OPERATION = b"\x90"


def folder(models):
    """Gives a folder for PYTHONPATH with the copy, which is made where it is missing."""
    installed = pathlib.Path(importlib.util.find_spec("onnxruntime").submodule_search_locations[0])
    made = pathlib.Path(models) / "onnxruntime_avx2"
    if made.exists():
        return str(made)
    unfinished = made.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(installed, unfinished / "onnxruntime")
    [library] = (unfinished / "onnxruntime" / "capi").glob("onnxruntime_pybind11_state*.so")
    code = bytearray(library.read_bytes())
    choices = list(CHOICE.finditer(code))
    if len(choices) != 1:
        raise SystemExit(f"{library}: the choice of AVX-512 was found {len(choices)} times; this version needs another pattern")
    start, end = choices[0].span(1)
    code[start:end] = NO_OPERATION * (end - start)
    library.write_bytes(code)
    unfinished.rename(made)
    return str(made)
