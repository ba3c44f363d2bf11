"""Compares the engine on a GPU with the modules in float64. Called by run.sh; never run on a GPU so far.

engine.py LIBRARY PART [--few]
    LIBRARY: ghostnet_engine_test; PART: ghostnet_cuda.so, or, to try this script without a GPU, ghostnet_cuda_rig.so (built
    with the C++ tests) and GHOSTNET_RIG_GPUS=9.0
    --few: small images, for compute-sanitizer and the rig
"""

import pathlib
import sys
import threading

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import ghostnet

torch.classes.load_library(sys.argv[1])
PART, FEW = sys.argv[2], "--few" in sys.argv
# Relative to the largest value. Rounding moves PyTorch's modules by 7e-7, 3e-3 and 2e-2.
TOLERANCE = {"float32": 3e-6, "tf32": 5e-3, "float16": 5e-3, "bfloat16": 3e-2}
# Images per batch that are compared with float64, which is slow on the CPU.
COMPARED = 3

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


shapes = [(1, 32, 40), (2, 45, 33)] if FEW else [(1, 224, 224), (3, 224, 224), (64, 224, 224), (2, 97, 131), (5, 33, 64)]
variants = [("ghostnet_050", 0.5)] if FEW else [("ghostnet_100", 1.0), ("ghostnet_050", 0.5), ("ghostnet_130", 1.3)]
for variant, multiplier in variants:
    network = torch.classes.ghostnet_engine_test.Network(variant, 3, PART)
    model = ghostnet.load(network, multiplier).double()
    for index, (batch, height, width) in enumerate(shapes):
        x = images(batch, height, width, index % 2 == 0, index)
        compared = x[:COMPARED].contiguous()
        expected = network.expected(compared, False)
        values = compared if compared.dtype == torch.float32 else ghostnet.normalised(compared, torch.float64)
        with torch.inference_mode():
            check(f"{variant} {list(x.shape)} PyTorch's modules", error(model(values.double()), expected) < 1e-6)
        for dtype, most in TOLERANCE.items():
            for path, graphs in (("fused", True), ("fused", False), ("in_two", True)):
                if FEW and (path, graphs) != ("fused", True) and dtype != "float16":
                    continue
                network.open(dtype, path, graphs)
                first = network.run(x, False)
                difference = error(first[:COMPARED], expected)
                name = f"{variant} {dtype} {list(x.shape)} {path}{', graph' if graphs else ''}"
                check(name, difference <= most, f"error {difference:.2e} of {most:.1e}")
                check(f"{name}, again", torch.equal(first, network.run(x, False)))
                if batch > COMPARED:
                    alone = [network.run(x[image : image + 1].contiguous(), False) for image in range(batch)]
                    check(f"{name}, each image alone", torch.equal(first, torch.cat(alone)))
        network.open("float32", "measured", True)
        difference = error(network.run(compared, True), network.expected(compared, True))
        check(f"{variant} features {list(x.shape)}", difference <= TOLERANCE["float32"], f"error {difference:.2e}")

# Two threads, whose batches are in flight together.
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
check("batches in flight together stay separate", all(map(torch.equal, alone, together)))

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
