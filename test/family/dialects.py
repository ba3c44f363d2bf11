"""What scripts of PyTorch save.

Each dialect is a function of the network that is meant and of another one, which some have beside it, to the object to save.
"""

import argparse
import copy
import re
import tempfile
from pathlib import Path

import timm_alone  # noqa: F401
import torch
from timm.utils import CheckpointSaver, ModelEmaV3
from torch import nn
from torch.optim.swa_utils import AveragedModel


def plain(net, other):
    return net.state_dict()


def parameters(net, other):
    """A dict, which lacks what PyTorch notes beside an OrderedDict, of parameters that are no plain tensors."""
    return dict(net.state_dict(keep_vars=True))


def authors(net, other):
    """The names of the authors' GhostNetV3."""
    return _renamed(net, r"(_rpr_(?:conv\.\d+|scale))\.bn1\.", r"\1.bn.")


def classifier_as(name):
    """A classifier that fine-tuning has put elsewhere."""
    return lambda net, other: _renamed(net, r"^classifier\.", f"{name}.")


def _renamed(net, pattern, replacement):
    return {re.sub(pattern, replacement, key): value for key, value in net.state_dict().items()}


def as_dtype(dtype):
    return lambda net, other: copy.deepcopy(net).to(dtype).state_dict()


def compiled(net, other):
    """Nothing is compiled before the first call."""
    return torch.compile(net).state_dict()


def data_parallel(net, other):
    return nn.DataParallel(net).state_dict()


def compiled_data_parallel(net, other):
    return torch.compile(nn.DataParallel(net)).state_dict()


def data_parallel_compiled(net, other):
    return nn.DataParallel(torch.compile(net)).state_dict()


def averaged(net, other):
    """Of the class of torch.optim, which counts in `n_averaged`."""
    average = AveragedModel(other)
    average.update_parameters(net)  # the first update copies
    average.module.load_state_dict(net.state_dict())  # and takes parameters alone
    return average.state_dict()


def moving_average(net, other):
    average = ModelEmaV3(other)
    average.set(net)
    return average.state_dict()


def profiled(net, other):
    """Counters as the profiler thop adds them to every module."""
    net = copy.deepcopy(net)
    for module in net.modules():
        module.register_buffer("total_ops", torch.zeros(1, dtype=torch.float64))
        module.register_buffer("total_params", torch.zeros(1, dtype=torch.float64))
    return net.state_dict()


class _Training(nn.Module):
    """A module of training that holds a network under a name, beside a loss with weights."""

    def __init__(self, name, net):
        super().__init__()
        self.add_module(name, net)
        self.criterion = nn.CrossEntropyLoss(weight=torch.ones(5))


def held_as(name):
    return lambda net, other: _Training(name, net).state_dict()


def compiled_in_training(net, other):
    return _Training("model", torch.compile(nn.DataParallel(net))).state_dict()


def under(key):
    """A checkpoint with one state dict."""
    return lambda net, other: {"epoch": 3, key: net.state_dict(), "optimizer": _optimizer(net).state_dict()}


def average_under(key):
    """A checkpoint whose average is meant, and stands beside other plain weights."""
    return lambda net, other: {"model": other.state_dict(), key: moving_average(net, other), "updates": 17}


def plain_beside(key):
    """A checkpoint whose plain weights are meant, and have an average beside them."""
    return lambda net, other: {"model": net.state_dict(), key: moving_average(other, net), "updates": 17}


def average_within(key, inner):
    """A checkpoint whose average is meant, and stands under a key of an object of its own."""
    average = lambda net, other: {"decay": 0.999, "updates": torch.tensor(17), inner: moving_average(net, other)}
    return lambda net, other: {"model": other.state_dict(), key: average(net, other)}


class _Headed(nn.Module):
    """A backbone with a classifier beside it."""

    def __init__(self, name, net):
        super().__init__()
        self.backbone = copy.deepcopy(net)
        self.backbone.classifier = nn.Identity()
        self.add_module(name, net.classifier)


def head_beside(name):
    return lambda net, other: _Headed(name, net).state_dict()


def expanded(net, other):
    """One element in place of many that are equal."""
    state = net.state_dict()
    equal = [key for key, value in state.items() if value.numel() > 1 and (value == value.flatten()[0]).all()]
    if not equal:
        raise AssertionError("no tensor has equal elements alone")
    return state | {key: state[key].flatten()[:1].clone().expand(state[key].shape) for key in equal}


def lightning(net, other):
    """As Lightning 2 writes it, with a module that holds the network as `model`."""
    return {
        "epoch": 4,
        "global_step": 250,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": _Training("model", net).state_dict(),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 5, "completed": 4}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'loss'}": {"best_model_score": torch.tensor(0.31), "best_k_models": {}}},
        "optimizer_states": [_optimizer(net).state_dict()],
        "lr_schedulers": [{"base_lrs": [0.1], "last_epoch": 4}],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1, "classes": ("a", "b")},
    }


def _optimizer(net):
    """An optimizer after a step of length 0: its state is full, and the weights are what they were."""
    net = copy.deepcopy(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9, nesterov=True)
    net(torch.randn(1, 3, 33, 33)).square().sum().backward()
    optimizer.step()
    return optimizer


def timm_train(net, average):
    """The checkpoint that timm's train.py writes with its own class, as bytes."""
    average = None if average is None else ModelEmaV3(average)
    args = argparse.Namespace(model="ghostnet_100", lr=0.1, mean=None, betas=(0.9, 0.99), data_dir=Path("data"))
    with tempfile.TemporaryDirectory() as folder:
        saver = CheckpointSaver(net, _optimizer(net), args, average, checkpoint_dir=folder)
        saver.save_checkpoint(3, metric=71.5)
        return (Path(folder) / "model_best.pth.tar").read_bytes()
