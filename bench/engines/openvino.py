import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

import packages
from serve import serve


def open_engine(request):
    packages.use("openvino", ["openvino==2026.4.1", "numpy==2.4.6"])
    import numpy
    import openvino

    core = openvino.Core()
    network = core.read_model(request["onnx"])
    # It compiles best for a fixed shape.
    network.reshape(request["shape"])
    settings = {
        "INFERENCE_NUM_THREADS": request["threads"],
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    compiled = core.compile_model(network, "CPU", settings)
    call = compiled.create_infer_request()
    values = numpy.fromfile(request["input"], dtype=numpy.float32).reshape(request["shape"])

    def run():
        call.infer({0: values}, share_inputs=True)
        return call.get_output_tensor(0).data

    return f"openvino {openvino.__version__.split('-')[0]}", settings, run


serve(open_engine)
