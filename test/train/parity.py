"""Trains networks of timm with PyTorch as the package does: python3 parity.py CASES.json FOLDER

CASES.json is a list of cases, as in parity.mjs. For each, FOLDER gets NAME.safetensors with the weights at the start, the losses, and all
that the training ends with.
"""

import copy
import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "family"))

import networks
import numpy
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import cross_entropy, relu6

MASK = (1 << 64) - 1
DROPOUT = 4


def split_mix(state):
    """The first number of the generator of native/training/random.h."""
    bits = (state + 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


def seed_of(seed, *parts):
    for part in parts:
        seed = split_mix(seed ^ part)
    return seed


def batch_of(case, step):
    """Pixels and labels that parity.mjs makes, too."""
    count = case["batch"] * case["side"] * case["side"] * 3
    numbers = numpy.arange(step * count, (step + 1) * count, dtype=numpy.uint32)
    pixels = (numbers * numpy.uint32(2654435761)) >> numpy.uint32(24)
    shape = (case["batch"], case["side"], case["side"], 3)
    labels = [(row * 7 + step) % networks.CLASSES for row in range(case["batch"])]
    return torch.from_numpy(pixels.astype(numpy.uint8)).view(shape), torch.tensor(labels)


class HardSigmoid(nn.Module):
    """PyTorch's own has a sixth in single precision in its backward pass, also for double precision."""

    def forward(self, x):
        return relu6(x + 3) / 6


def with_exact_gates(net):
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Hardsigmoid):
                setattr(module, name, HardSigmoid())
    return net


def rate_of(case, step):
    warmup, total = case["warmupSteps"], case["totalSteps"]
    if step < warmup:
        return case["learningRate"] * (step + 1) / warmup
    return case["learningRate"] * (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2


def optimizer_of(case, net):
    decaying = [value for value in net.parameters() if value.ndim > 1]
    others = [value for value in net.parameters() if value.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": case["weightDecay"]}, {"params": others, "weight_decay": 0}]
    if case["optimizer"] == "sgd":
        return torch.optim.SGD(groups, lr=0, momentum=case["momentum"], nesterov=True)
    return torch.optim.AdamW(groups, lr=0)


def network_of(case):
    if "width" in case:
        return networks.network(case["form"], case["width"])
    torch.manual_seed(case["seed"])
    return networks.skeleton(case["form"], case["fresh"])


def train(case):
    dtype = getattr(torch, case["dtype"])
    net = with_exact_gates(copy.deepcopy(network_of(case))).to(dtype)
    net.drop_rate = 0
    initial = {name: value.clone() for name, value in net.state_dict().items()}
    average = {name: value.clone() for name, value in net.state_dict().items()}
    net.to(memory_format=torch.channels_last).train()
    optimizer = optimizer_of(case, net)
    mean = torch.tensor(case["mean"], dtype=dtype)
    std = torch.tensor(case["std"], dtype=dtype)
    losses = []
    for step in range(case["steps"]):
        pixels, labels = batch_of(case, step)
        inputs = ((pixels.to(dtype) / 255 - mean) / std).permute(0, 3, 1, 2)
        features = net.forward_head(net.forward_features(inputs), pre_logits=True)
        if case["dropout"] > 0:
            generator = torch.Generator().manual_seed(seed_of(case["seed"], DROPOUT, step, 0))
            kept = 1 - case["dropout"]
            features = features * torch.empty_like(features).bernoulli_(kept, generator=generator).div_(kept)
        loss = cross_entropy(net.classifier(features), labels, label_smoothing=case["labelSmoothing"])
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if case["maxGradientNorm"] > 0:
            torch.nn.utils.clip_grad_norm_(net.parameters(), case["maxGradientNorm"])
        for group in optimizer.param_groups:
            group["lr"] = rate_of(case, step)
        optimizer.step()
        decay = min(case["ema"], (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - decay)
            else:
                average[name].copy_(value)
    result = {"losses": torch.tensor(losses, dtype=torch.float64)}
    result |= {f"initial.{name}": value for name, value in initial.items()}
    result |= {f"model.{name}": value for name, value in net.state_dict().items()}
    if case["ema"] > 0:
        result |= {f"average.{name}": value for name, value in average.items()}
    for name, parameter in net.named_parameters():
        for part, value in optimizer.state[parameter].items():
            value = value.to(torch.int64) if part == "step" else value
            result[f"optimizer.{name}.{part}"] = value
    return {name: value.detach().contiguous() for name, value in result.items()}


def main(cases, folder):
    for case in json.loads(pathlib.Path(cases).read_text()):
        save_file(train(case), pathlib.Path(folder) / f"{case['name']}.safetensors")


main(*sys.argv[1:])
