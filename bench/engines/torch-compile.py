import json
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(root / "bench" / "python"), str(root / "native" / "test" / "gpu")]

import packages
from serve import Unavailable, serve
from weights import read_safetensors


def open_engine(request):
    version = json.loads((root / "package.json").read_text())["libtorch"]["version"]
    packages.use("torch", [f"torch=={version}+cpu", "numpy==2.4.6"])
    import numpy
    import torch
    import torch._inductor.config as inductor
    from ghostnet import GhostNet

    torch.set_num_threads(request["threads"])
    model = GhostNet()
    weights = read_safetensors(request["weights"], torch)
    if weights.keys() != model.state_dict().keys():
        raise Unavailable("it has the modules of GhostNet 1.0x only")
    model.load_state_dict(weights)
    model = model.eval().to(memory_format=torch.channels_last)
    # Frozen weights are folded and packed when the network is compiled.
    inductor.freezing = True
    values = torch.from_numpy(numpy.fromfile(request["input"], dtype=numpy.float32).reshape(request["shape"]))
    compiled = torch.compile(model, dynamic=False)

    def run():
        with torch.inference_mode():
            return compiled(values).numpy()

    settings = {"threads": request["threads"], "freezing": True, "layout": "channels last"}
    return f"torch.compile {torch.__version__}", settings, run


serve(open_engine)
