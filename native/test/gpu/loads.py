"""The operator's CUDA backend, loaded by PyTorch: prints the result as JSON. Needs no GPU.

loads.py LIBRARY
"""

import json
import sys

import torch

torch.ops.load_library(sys.argv[1])


def module(device):
    generator = torch.Generator().manual_seed(1)
    uniform = lambda *shape: (torch.rand(*shape, generator=generator) - 0.5).to(device)
    x, primary, cheap = uniform(2, 24, 9, 11), uniform(20, 24, 1, 1), uniform(20, 1, 3, 3)
    return torch.ops.ghostnet.ghost_module(x, primary, uniform(20), cheap, uniform(20), 39, 1, True)


found = {"torch": torch.__version__, "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None}
for key in ("CPU", "CUDA"):
    found[key] = torch._C._dispatch_has_kernel_for_dispatch_key("ghostnet::ghost_module", key)
try:
    torch.backends.cudnn.allow_tf32 = False
    found["apart"] = (module("cuda").cpu() - module("cpu")).abs().max().item()
except (RuntimeError, AssertionError) as reason:
    found["error"] = str(reason).splitlines()[0]
print(json.dumps(found))
