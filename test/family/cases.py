"""The table of the suite: each case is a file or folder, and what PyTorch computes with its weights."""

from dataclasses import dataclass, field
from typing import Callable, Optional

import containers as c
import dialects as d
import networks as n
import torch

# Odd sides, of which every layer rounds another way.
SMALL = (2, 3, 97, 65)
LARGE = (1, 3, 224, 224)


@dataclass(frozen=True)
class Case:
    name: str
    form: str
    dialect: Callable = d.plain
    container: Callable = c.torch_zip
    width: float = 0.25
    shape: tuple = SMALL
    change: Optional[Callable] = None
    # Of GhostNet.load.
    options: dict = field(default_factory=dict)


CONTAINERS = {"safetensors": c.safetensors, "torch.save": c.torch_zip, "legacy torch.save": c.torch_legacy}

# State dicts, which every container can hold.
PREFIXES = {
    "plain": d.plain,
    "_orig_mod.": d.compiled,
    "module.": d.data_parallel,
    "_orig_mod.module.": d.compiled_data_parallel,
    "module._orig_mod.": d.data_parallel_compiled,
    "model._orig_mod.module. beside a loss": d.compiled_in_training,
    **{f"{name}. beside a loss": d.held_as(name) for name in ["model", "net", "backbone", "encoder", "student"]},
    "AveragedModel": d.averaged,
    "ModelEmaV3": d.moving_average,
    "counters of thop": d.profiled,
    **{f"{name} beside backbone.": d.head_beside(name) for name in ["fc", "head"]},
    **{f"classifier as {name}": d.classifier_as(name) for name in ["fc", "head.fc"]},
}

RAW = {"weights": "raw"}
EMA = {"weights": "ema"}

_PLAIN_KEYS = ["state_dict", "model_state_dict", "model", "net", "module"]
_AVERAGE_KEYS = ["ema", "model_ema", "state_dict_ema"]

# Checkpoints: a dialect and the options. They need a container of pickles.
CHECKPOINTS = {
    **{f"{key} of a checkpoint": (d.under(key), {}) for key in _PLAIN_KEYS},
    **{f"{key} beside model": (d.average_under(key), {}) for key in _AVERAGE_KEYS},
    **{f"model beside {key}, raw": (d.plain_beside(key), RAW) for key in _AVERAGE_KEYS},
    "module of an ema beside model": (d.average_within("ema", "module"), {}),
    "state_dict of a model_ema beside model": (d.average_within("model_ema", "state_dict"), EMA),
    "ema beside model, ema": (d.average_under("ema"), EMA),
    "ema of a checkpoint alone": (d.under("ema"), {}),
    "Lightning": (d.lightning, {}),
    "parameters": (d.parameters, {}),
}


def _meant(net, other):
    return net


# Cases that hold for one container, or change the network.
OTHERS = [
    Case("checkpoint of timm's train.py", "ghostnetv2", lambda net, other: d.timm_train(net, None), c.as_it_is),
    Case("its average", "ghostnetv3", lambda net, other: d.timm_train(other, net), c.as_it_is),
    Case("its plain weights", "ghostnetv3", lambda net, other: d.timm_train(net, other), c.as_it_is, options=RAW),
    Case("timm's folder", "ghostnetv2", _meant, c.timm_folder),
    Case("timm's folder", "ghostnetv3", _meant, c.timm_folder_of_pickles),
    Case("timm's folder without a classifier", "ghostnet", _meant, c.timm_folder, change=n.without_classifier),
    Case("shards in a folder", "ghostnetv3", container=c.shards),
    Case("shards by their index", "repghostnet", container=c.shards_by_index),
    Case("shards, module.", "ghostnetv2", d.data_parallel, c.shards),
    Case("shards of pickles, module.", "ghostnetv2", d.data_parallel, c.shards_of_pickles),
    Case("expanded tensors", "ghostnet", d.expanded, change=n.equal_bias),
    Case("expanded tensors, legacy", "ghostnetv3", d.expanded, c.torch_legacy, change=n.equal_bias),
    Case("classifier without a bias", "ghostnet", change=n.without_bias),
    Case("classifier.1", "ghostnetv2", change=n.sequential_tail),
    Case("classifier.1, module., safetensors", "ghostnetv3", d.data_parallel, c.safetensors, change=n.sequential_tail),
    Case("no classifier", "ghostnetv3 deployed", change=n.without_classifier),
    Case("no classifier, backbone.", "repghostnet", d.held_as("backbone"), change=n.without_classifier),
]


def _rounded(form, container_name):
    """Numbers of 16 bits, which PyTorch computes with as float32; and of 64."""
    at = {"container": CONTAINERS[container_name]}
    return [
        Case(f"float16, {container_name}", form, d.as_dtype(torch.float16), change=n.half, **at),
        Case(f"bfloat16, {container_name}", form, d.as_dtype(torch.bfloat16), change=n.brain, **at),
        Case(f"float64, {container_name}", form, d.as_dtype(torch.float64), **at),
    ]


def _of(form, prefix_names, container_names):
    return [
        Case(f"{prefix}, {container}", form, PREFIXES[prefix], CONTAINERS[container])
        for prefix in prefix_names
        for container in container_names
    ]


def _checkpoints(form, container_names):
    return [
        Case(f"{name}, {container}", form, dialect, CONTAINERS[container], options=options)
        for name, (dialect, options) in CHECKPOINTS.items()
        for container in container_names
    ]


def _authors(container_names, **at):
    return [
        Case(f"names of the authors, {container}", "ghostnetv3", d.authors, CONTAINERS[container], **at)
        for container in container_names
    ]


def quick():
    """Every form in every container, and every dialect once."""
    cases = [Case("0.5x", form, width=0.5, container=c.safetensors) for form in n.FORMS]
    cases += [case for form in n.FORMS for case in _of(form, ["plain"], ["torch.save", "legacy torch.save"])]
    cases += _authors(["torch.save"])
    cases += _of("ghostnet", [name for name in PREFIXES if name != "plain"], ["torch.save"])
    cases += _of("ghostnetv3", ["_orig_mod.module.", "AveragedModel"], ["safetensors"])
    cases += _checkpoints("ghostnet", ["torch.save"])
    cases += _rounded("ghostnet", "torch.save") + _rounded("ghostnetv3", "safetensors")
    return cases + OTHERS


def complete():
    """Every form in every dialect in every container, and all widths at the usual size."""
    cases = []
    for form in n.FORMS:
        for width in [0.5, 1.0, 1.3, 1.6]:
            cases.append(Case(f"{width}x at 224 pixels", form, container=c.safetensors, width=width, shape=LARGE))
        cases += _of(form, PREFIXES, CONTAINERS)
        cases += _checkpoints(form, ["torch.save", "legacy torch.save"])
        for container in CONTAINERS:
            cases += _rounded(form, container)
    cases += _authors(CONTAINERS) + _authors(["torch.save"], width=1.0, shape=LARGE)
    return cases + OTHERS
