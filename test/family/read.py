"""Loads files that this package has saved into the networks of timm.

    python3 read.py <requests.json>

Each request has a file, its dtype, the form and the width of the network that was saved, whether its branches were folded, and an
input. Prints a line of JSON for each: its name, and what PyTorch computes or what is wrong.
"""

import json
import sys
from pathlib import Path

import torch
from networks import image, network, result, skeleton
from safetensors.torch import load_file


def read(request):
    state = load_file(request["path"])
    folded = " deployed" if request["isDeployed"] else ""
    net = skeleton(request["form"] + folded, request["width"])
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        return {"name": request["name"], "problem": str(error)[:500]}
    wrong = [] if folded else differences(state, request)
    if wrong:
        return {"name": request["name"], "problem": f"{len(wrong)} arrays are not PyTorch's, such as {wrong[0]}"}
    return {"name": request["name"], "results": result(net, tuple(request["shape"])).flatten().tolist()}


def differences(state, request):
    """The arrays that are not, to the bit, those that PyTorch makes of the original weights."""
    dtype = getattr(torch, request["dtype"])
    original = network(request["form"], request["width"]).state_dict()
    rounded = {key: value.to(dtype) if value.is_floating_point() else value for key, value in original.items()}
    return [key for key, value in rounded.items() if value.dtype != state[key].dtype or not value.equal(state[key])]


if __name__ == "__main__":
    for request in json.loads(Path(sys.argv[1]).read_text()):
        print(json.dumps(read(request)), flush=True)
