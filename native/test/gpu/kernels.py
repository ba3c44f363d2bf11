"""Compares the CUDA kernels on a GPU with LibTorch in float64. Called by run.sh; never run on a GPU so far.

kernels.py LIBRARY [--few | --planted] [--cpu]
    --few: a few shapes, for compute-sanitizer
    --planted: only a read past the end of a tensor, for compute-sanitizer to find
    --cpu: the CPU backend of the operator, to try this script without a GPU
"""

import json
import pathlib
import random
import struct
import sys

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[3]
FEW = "--few" in sys.argv
DEVICE = "cpu" if "--cpu" in sys.argv else "cuda"
# compute-sanitizer checks our kernels, so the libraries for LibTorch's convolutions are not run under it.
REFERENCE = "cpu" if FEW else DEVICE
TOLERANCE = {torch.float32: 2e-6, torch.float16: 1.5e-3, torch.bfloat16: 1e-2}
# For products of rounded factors: tensor cores round sums in their own way.
TF32_TOLERANCE = 2e-5

passed = failed = 0


def check(name, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAILED {name} {detail}")


def tensor_float(values):
    """float32 rounded to the 10 fraction bits that tensor cores read, ties away from zero."""
    return ((values.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def reference(x, w, relu, out_channels, stride=1):
    """float64, NCHW."""
    x = x.to(REFERENCE)
    w = {name: tensor.to(REFERENCE).double() for name, tensor in w.items()}
    act = F.relu if relu else (lambda t: t)
    maps = act(F.conv2d(x.double(), w["primary"], w["primary_bias"], stride, w["primary"].shape[2] // 2))
    cheap = w["cheap"]
    ghosts = act(F.conv2d(maps, cheap, w["cheap_bias"], padding=cheap.shape[2] // 2, groups=maps.shape[1]))
    return torch.cat([maps, ghosts], 1)[:, :out_channels]


def run_kernel(x, w, residual, relu, out_channels, in_two, tf32=False):
    """x and residual NCHW; the kernels get the same arguments as from the engine."""
    pixels = x.permute(0, 2, 3, 1).contiguous()
    out = torch.full((*pixels.shape[:3], out_channels), float("nan"), dtype=x.dtype, device=x.device)
    added = None if residual is None else residual.permute(0, 2, 3, 1).contiguous()
    torch.ops.ghostnet_test.run(
        pixels,
        w["primary"].flatten(1).contiguous(),
        w["primary_bias"].float(),
        w["cheap"].flatten(1).t().float().contiguous(),
        w["cheap_bias"].float(),
        added,
        out,
        w["cheap"].shape[2],
        relu,
        in_two,
        tf32,
    )
    return out.permute(0, 3, 1, 2)


def error(found, expected):
    return ((found.to(REFERENCE).double() - expected).abs().max() / expected.abs().max()).item()


def random_module(pick, dtype, generator, kernel=1):
    def numbers(*shape, scale=1.0):
        return ((torch.rand(*shape, generator=generator) * 2 - 1) * scale).to(dtype).to(DEVICE)

    n, h, w = pick.choice([1, 1, 2, 5]), pick.randint(1, 60), pick.randint(1, 60)
    c = pick.choice([1, 4, 8, 24, 40, 72, 160, 960]) + pick.choice([0, 0, 0, 1, 2])
    maps = pick.choice([1, 8, 12, 20, 24, 36, 60, 64, 100]) + pick.choice([0, 0, 0, 1, 2])
    ratio, size = pick.choice([2, 2, 2, 3, 4]), pick.choice([3, 3, 3, 1, 5, 7])
    ghosts = maps * (ratio - 1)
    weights = {
        "primary": numbers(maps, c, kernel, kernel, scale=(3 / c) ** 0.5 / kernel),
        "primary_bias": numbers(maps, scale=0.5),
        "cheap": numbers(ghosts, 1, size, size, scale=1 / size),
        "cheap_bias": numbers(ghosts, scale=0.5),
    }
    out_channels = pick.choice([maps * ratio, pick.randint(1, maps * ratio)])
    relu = pick.random() < 0.5
    residual = numbers(n, out_channels, h, w) if pick.random() < 0.3 else None
    return numbers(n, c, h, w), weights, residual, relu, out_channels


def random_shapes():
    pick, generator = random.Random(11), torch.Generator().manual_seed(11)
    for dtype in TOLERANCE:
        worst = 0
        for index in range(4 if FEW else 200):
            x, w, residual, relu, out_channels = random_module(pick, dtype, generator)
            name = f"{dtype} {list(x.shape)} -> {w['primary'].shape[0]} of {out_channels}, {list(w['cheap'].shape)}"
            plain = reference(x, w, relu, out_channels)
            expected = plain if residual is None else plain + residual.to(REFERENCE).double()
            found = {}
            if DEVICE == "cuda":
                found["fused"] = (run_kernel(x, w, residual, relu, out_channels, False), expected)
                if residual is None:
                    found["in two"] = (run_kernel(x, w, None, relu, out_channels, True), expected)
            op = torch.ops.ghostnet.ghost_module
            args = (w["primary"], w["primary_bias"], w["cheap"], w["cheap_bias"], out_channels, 1, relu)
            found["operator"] = (op(x, *args), plain)
            for path, (result, wanted) in found.items():
                difference = error(result, wanted)
                worst = max(worst, difference)
                check(f"{index} {path} {name}", difference <= TOLERANCE[dtype], f"error {difference}")
        print(f"{dtype}: largest error {worst:.2e} of {TOLERANCE[dtype]:.1e}")


def random_convolutions():
    """Primary convolutions that the operator leaves to cuDNN."""
    pick, generator = random.Random(12), torch.Generator().manual_seed(12)
    for dtype in TOLERANCE:
        for index in range(4 if FEW else 50):
            kernel, stride = pick.choice([(1, 2), (3, 1), (3, 2), (5, 1)])
            x, w, _, relu, out_channels = random_module(pick, dtype, generator, kernel)
            args = (w["primary"], w["primary_bias"], w["cheap"], w["cheap_bias"], out_channels, stride, relu)
            difference = error(torch.ops.ghostnet.ghost_module(x, *args), reference(x, w, relu, out_channels, stride))
            name = f"{dtype} {list(x.shape)}, kernel {kernel}, stride {stride}, {list(w['cheap'].shape)}"
            # cuDNN's sums are rounded once more than those of the kernels.
            check(f"{index} operator {name}", difference <= 2 * TOLERANCE[dtype], f"error {difference}")


def random_tensor_floats():
    pick, generator = random.Random(13), torch.Generator().manual_seed(13)
    worst = 0
    for index in range(4 if FEW else 200):
        x, w, _, relu, out_channels = random_module(pick, torch.float32, generator)
        rounded = {**w, "primary": tensor_float(w["primary"])}
        expected = reference(tensor_float(x), rounded, relu, out_channels)
        for in_two in (False, True):
            difference = error(run_kernel(x, w, None, relu, out_channels, in_two, tf32=True), expected)
            worst = max(worst, difference)
            name = f"{list(x.shape)} -> {w['primary'].shape[0]} of {out_channels}, {list(w['cheap'].shape)}"
            check(f"{index} tf32{' in two' if in_two else ''} {name}", difference <= TF32_TOLERANCE, f"error {difference}")
    print(f"tf32: largest error {worst:.2e} of {TF32_TOLERANCE:.1e}")


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    kinds = {"F32": torch.float32, "I64": torch.int64}
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kinds[entry["dtype"]]).view(entry["shape"])
    return metadata, arrays


def golden_modules():
    for path in sorted((ROOT / "test/golden/data").glob("module_*.safetensors")):
        metadata, arrays = read_safetensors(path)
        case = json.loads(metadata["case"])

        def folded(part):
            get = lambda key: arrays[f"state.{part}.{key}"].double()
            factor = get("1.weight") / (get("1.running_var") + 1e-5).sqrt()
            weight = get("0.weight") * factor.view(-1, 1, 1, 1)
            return weight.float().to(DEVICE), (get("1.bias") - get("1.running_mean") * factor).float().to(DEVICE)

        result = torch.ops.ghostnet.ghost_module(
            arrays["input"].to(DEVICE), *folded("primary_conv"), *folded("cheap_operation"), case["oup"],
            case["stride"], case["relu"],
        )
        difference = error(result, arrays["output"].to(REFERENCE).double())
        check(path.name, difference <= 1e-5, f"error {difference}")


def special_values():
    """NaN in one pixel reaches only its own outputs and the ghosts of its neighbours."""
    x = torch.zeros(1, 8, 30, 30, device=DEVICE)
    x[0, 0, 15, 14] = float("nan")
    w = {
        "primary": torch.ones(8, 8, 1, 1, device=DEVICE),
        "primary_bias": torch.ones(8, device=DEVICE),
        "cheap": torch.ones(8, 1, 3, 3, device=DEVICE),
        "cheap_bias": torch.ones(8, device=DEVICE),
    }
    out = torch.ops.ghostnet.ghost_module(x, w["primary"], w["primary_bias"], w["cheap"], w["cheap_bias"], 16, 1, True)
    bad = out.cpu().isnan()
    check("NaN stays where it belongs", bad[:, :8].sum() == 8 and bad[:, 8:].sum() == 8 * 9, f"{bad.sum()}")


def planted():
    """A primary weight for one input channel instead of 64."""
    make = lambda *shape: torch.zeros(*shape, device=DEVICE)
    w = {"primary": make(8, 1), "primary_bias": make(8), "cheap": make(8, 1, 3, 3), "cheap_bias": make(8)}
    run_kernel(make(1, 64, 8, 8), w, None, True, 16, False)


torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
torch.ops.load_library(sys.argv[1])
if "--planted" in sys.argv:
    planted()
else:
    random_shapes()
    if DEVICE == "cuda":
        random_tensor_floats()
    special_values()
    if REFERENCE == DEVICE:  # some are convolutions of LibTorch
        random_convolutions()
        golden_modules()
if DEVICE == "cuda":
    torch.cuda.synchronize()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
