"""Makes the golden data of this folder with PyTorch and PIL.

    python make.py path/to/ghostnet_reference.py

Needs torch, safetensors, numpy and pillow. What it writes to data/:
  network.safetensors    a small network: state dict under "state.", input, output (logits), features; computed in float64
  seeds.json             SHA-256 of the parameters that the reference has after torch.manual_seed
  wide.png, tall.png     two synthetic pictures
  transform.safetensors  the pictures after PIL's resize and centre crop, keys "file|size|crop|interpolation"
Beside them data/module_*.safetensors hold one GhostModule each, computed in the same way, with their arguments as
metadata.
"""

import hashlib
import importlib.util
import json
import math
import pathlib
import sys

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file

DATA = pathlib.Path(__file__).parent / "data"

NETWORK = {
    "stages": [
        [[3, 16, 16, 0, 1]],
        [[3, 48, 24, 0, 2]],
        [[5, 72, 40, 0.25, 2], [5, 120, 40, 0.25, 1]],
        [[3, 80, 56, 0, 1], [5, 64, 48, 0.5, 2]],
    ],
    "width": 0.25,
    "num_classes": 3,
}

SEEDS = [
    {"variant": "ghostnet_050", "width": 0.5, "num_classes": 10, "seed": 7},
    {"variant": "ghostnet_050", "width": 0.5, "num_classes": 10, "seed": 2**53 - 1},
]

# The first and the last parameters, and one of each kind between them.
SEEDED = [
    "conv_stem.weight",
    "blocks.0.0.ghost1.primary_conv.0.weight",
    "blocks.0.0.ghost1.cheap_operation.0.weight",
    "blocks.1.0.conv_dw.weight",
    "blocks.1.0.shortcut.0.weight",
    "blocks.1.0.shortcut.2.weight",
    "blocks.3.0.se.conv_reduce.weight",
    "blocks.3.0.se.conv_reduce.bias",
    "blocks.8.3.se.conv_expand.weight",
    "blocks.8.3.ghost2.cheap_operation.0.weight",
    "blocks.9.0.conv.weight",
    "conv_head.weight",
    "conv_head.bias",
    "classifier.weight",
    "classifier.bias",
]


def load_reference(path):
    spec = importlib.util.spec_from_file_location("reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def randomise(net):
    """Statistics and weights like those of a trained network: none at its neutral value."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.num_batches_tracked.fill_(100)


def make_network(reference):
    torch.manual_seed(1)
    net = reference.GhostNet(
        NETWORK["stages"], num_classes=NETWORK["num_classes"], width=NETWORK["width"]
    ).eval()
    randomise(net)
    x = torch.randn(2, 3, 47, 33)
    state = {f"state.{name}": value.clone() for name, value in net.state_dict().items()}
    features = []
    net.double().classifier.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    with torch.no_grad():
        output = net(x.double())
    save_file(
        state | {"input": x, "output": output.float(), "features": features[0].float()},
        DATA / "network.safetensors",
        metadata={"case": json.dumps(NETWORK)},
    )


def digest(*tensors):
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


def make_seeds(reference):
    cases = []
    for case in SEEDS:
        torch.manual_seed(case["seed"])
        net = reference.ghostnet(width=case["width"], num_classes=case["num_classes"])
        state = net.state_dict()
        cases.append(
            {
                "variant": case["variant"],
                "numClasses": case["num_classes"],
                "seed": case["seed"],
                "parameters": {name: digest(state[name]) for name in SEEDED},
                "all": digest(*(state[name] for name in sorted(state))),
            }
        )
    (DATA / "seeds.json").write_text(json.dumps(cases, indent=2) + "\n")


def make_picture(width, height, seed):
    """Smooth waves with some grain, so that each pixel differs from its neighbours."""
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    channels = []
    for _ in range(3):
        waves = sum(
            random.uniform(0.3, 1)
            * numpy.sin(random.uniform(0.02, 0.6) * x + random.uniform(0.02, 0.6) * y + random.uniform(0, 6))
            for _ in range(6)
        )
        channels.append(128 + 40 * waves + random.normal(0, 12, waves.shape))
    return Image.fromarray(numpy.stack(channels, axis=2).clip(0, 255).astype(numpy.uint8))


def transform(picture, size, crop, interpolation):
    """The evaluation transform of timm: shorter side to floor(size / crop), then a centre crop."""
    shorter = math.floor(size / crop)
    width, height = picture.size
    if width <= height:
        resized = (shorter, int(shorter * height / width))
    else:
        resized = (int(shorter * width / height), shorter)
    left, top = (int(round((length - size) / 2)) for length in resized)
    resample = getattr(Image.Resampling, interpolation.upper())
    return picture.resize(resized, resample).crop((left, top, left + size, top + size))


def make_transforms():
    arrays = {}
    for file, picture in {"wide.png": make_picture(97, 61, 1), "tall.png": make_picture(61, 102, 2)}.items():
        picture.save(DATA / file, optimize=True)
        for size, crop, interpolation in [(48, 0.875, "bicubic"), (64, 1.0, "bilinear")]:
            pixels = numpy.array(transform(picture, size, crop, interpolation))
            arrays[f"{file}|{size}|{crop}|{interpolation}"] = torch.from_numpy(pixels)
    save_file(arrays, DATA / "transform.safetensors")


if __name__ == "__main__":
    reference = load_reference(sys.argv[1])
    DATA.mkdir(exist_ok=True)
    make_network(reference)
    make_seeds(reference)
    make_transforms()
