import json
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(root / "bench" / "python"), str(root / "native" / "test" / "gpu")]

import packages
from serve import serve


def open_engine(request):
    version = json.loads((root / "package.json").read_text())["libtorch"]["version"]
    packages.use("torch", [f"torch=={version}+cpu", "numpy==2.4.6"])
    import numpy
    import torch
    import torch._inductor.config as inductor
    from ghostnet import GhostNet

    torch.set_num_threads(request["threads"])
    model = GhostNet()
    model.load_state_dict(read_safetensors(request["weights"], torch))
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


def read_safetensors(path, torch):
    content = Path(path).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    dtypes = {"F32": torch.float32, "I64": torch.int64}
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = bytearray(content[start + begin : start + end])
        state[name] = torch.frombuffer(data, dtype=dtypes[entry["dtype"]]).reshape(entry["shape"])
    return state


serve(open_engine)
