"""The engine on a GPU against the modules in float64. Called by run.sh; never run on a GPU so far.

engine.py LIBRARY PART [--few]   LIBRARY: ghostnet_engine_test; PART: ghostnet_cuda.so, or ghostnet_cuda_rig.so to try this script
                                 where there is no GPU; --few: small images, for compute-sanitizer and the rig
"""

import copy
import pathlib
import sys
import threading

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import ghostnet

torch.classes.load_library(sys.argv[1])
PART, FEW = sys.argv[2], "--few" in sys.argv
# How far rounding may take sixteen bottlenecks of random weights: as many times as far as PyTorch's modules go in that dtype.
TIMES = 8
TOLERANCE = {"float32": 1e-5, "float16": 2e-2, "bfloat16": 1.5e-1}

passed = failed = 0


def check(name, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(f"{'passed' if ok else 'FAILED'}  {name} {detail}")


def error(found, expected):
    return ((found.double() - expected).abs().max() / expected.abs().max()).item()


def images(batch, height, width, as_bytes, seed):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (batch, height, width, 3), generator=generator, dtype=torch.uint8)
    return pixels if as_bytes else ghostnet.normalised(pixels).contiguous()


def rounding(model, x, expected, dtype):
    """What PyTorch's modules, on the CPU, lose in a dtype."""
    kind = getattr(torch, dtype)
    wide = torch.float64 if dtype == "float64" else torch.float32
    values = ghostnet.normalised(x, wide) if x.dtype == torch.uint8 else x
    with torch.inference_mode():
        return error(copy.deepcopy(model).to(kind)(values.to(kind)), expected)


shapes = [(1, 32, 40), (2, 45, 33)] if FEW else [(1, 224, 224), (3, 224, 224), (64, 224, 224), (2, 97, 131), (5, 33, 64)]
variants = [("ghostnet_050", 0.5)] if FEW else [("ghostnet_100", 1.0), ("ghostnet_050", 0.5), ("ghostnet_130", 1.3)]
for variant, width in variants:
    network = torch.classes.ghostnet_engine_test.Network(variant, 3, PART)
    model = ghostnet.load(network, width)
    for index, (batch, height, width) in enumerate(shapes):
        x = images(batch, height, width, index % 2 == 0, index)
        expected = network.expected(x, False)
        check(f"{variant} {list(x.shape)} PyTorch's modules", rounding(model, x, expected, "float64") < 1e-6)
        for dtype in TOLERANCE:
            most = max(TOLERANCE[dtype], TIMES * rounding(model, x, expected, dtype))
            for path, graphs in (("fused", True), ("fused", False), ("in_two", True)):
                if FEW and (path, graphs) != ("fused", True) and dtype != "float16":
                    continue
                network.open(dtype, path, graphs)
                first = network.run(x, False)
                difference = error(first, expected)
                name = f"{variant} {dtype} {list(x.shape)} {path}{', graph' if graphs else ''}"
                check(name, difference <= most, f"error {difference:.2e} of {most:.1e}")
                check(f"{name}, again", torch.equal(first, network.run(x, False)))
        network.open("float32", "measured", True)
        difference = error(network.run(x, True), network.expected(x, True))
        check(f"{variant} features {list(x.shape)}", difference <= 1e-3, f"error {difference:.2e}")

# Two threads, whose batches are on their way together.
network.open("float16", "measured", True)
inputs = [images(1 + index % 3, 40, 36 + index % 2, True, index) for index in range(6 if FEW else 40)]
alone = [network.run(x, False) for x in inputs]
together = [None] * len(inputs)


def work(first):
    for index in range(first, len(inputs), 2):
        together[index] = network.run(inputs[index], False)


threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("batches on their way together stay apart", all(map(torch.equal, alone, together)))

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
