"""Writes a network in int8 for ONNX Runtime and for OpenVINO, each by its own tool and as it advises.

Both calibrate on the same random frames, from -1 to 1 as in timing: what is compared is time, and the numbers of a network
with random weights mean nothing. Weights have a scale for each channel.
"""

import os

FRAMES = 8


def frames(size):
    import numpy

    random = numpy.random.default_rng(2)
    return [random.uniform(-1, 1, (1, 3, size, size)).astype(numpy.float32) for _ in range(FRAMES)]


def for_onnxruntime(path, size):
    """Static quantization with QDQ nodes; gives the path of the model."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    written = path.replace(".onnx", "_int8.onnx")
    if os.path.exists(written):
        return written

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.frames = iter(frames(size))

        def get_next(self):
            batch = next(self.frames, None)
            return None if batch is None else {"frames": batch}

    prepared = path.replace(".onnx", "_prepared.onnx")
    quant_pre_process(path, prepared)
    quantization.quantize_static(prepared, written, Reader(), quant_format=quantization.QuantFormat.QDQ,
                                 per_channel=True, activation_type=quantization.QuantType.QUInt8,
                                 weight_type=quantization.QuantType.QInt8)
    return written


def for_openvino(path, size):
    """Quantization by NNCF; gives the path of the model."""
    import nncf
    import openvino

    written = path.replace(".onnx", "_int8.xml")
    if os.path.exists(written):
        return written
    dataset = nncf.Dataset([{"frames": batch} for batch in frames(size)])
    quantized = nncf.quantize(openvino.Core().read_model(path), dataset, subset_size=FRAMES)
    openvino.save_model(quantized, written, compress_to_fp16=False)
    return written
