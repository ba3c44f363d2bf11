"""The networks of the suite, with random weights, and their results according to PyTorch."""

import copy
import functools

import timm_alone  # noqa: F401
import torch
from timm.models.ghostnet import _create_ghostnet
from timm.models.repghost import _create_repghostnet
from timm.utils import reparameterize_model
from torch import nn

CLASSES = 5

# timm registers some widths alone; its factories take any.
_FACTORIES = {
    "ghostnet": functools.partial(_create_ghostnet, "ghostnet_100", version="v1"),
    "ghostnetv2": functools.partial(_create_ghostnet, "ghostnetv2_100", version="v2"),
    "ghostnetv3": functools.partial(_create_ghostnet, "ghostnetv3_100", version="v3"),
    "repghostnet": functools.partial(_create_repghostnet, "repghostnet_100"),
}

# A form is a network with the parameters of one kind of weights file.
FORMS = [
    "ghostnet",
    "ghostnetv2",
    "ghostnetv3",
    "ghostnetv3 deployed",
    "repghostnet",
    "repghostnet deployed",
]


def skeleton(form, width):
    """A network of this form with any weights."""
    name, *deployed = form.split()
    net = _FACTORIES[name](width=width, num_classes=CLASSES).eval()
    return reparameterize_model(net) if deployed else net


@functools.lru_cache(maxsize=None)
def network(form, width, seed=1, change=None):
    """A network in which no weight has its neutral value, then changed. Nobody may change the result: it is kept."""
    torch.manual_seed(seed)
    name, *deployed = form.split()
    net = _FACTORIES[name](width=width, num_classes=CLASSES).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.num_batches_tracked.fill_(100)
    net = reparameterize_model(net) if deployed else net
    return (change(net) if change else net).eval()


@functools.lru_cache(maxsize=None)
def image(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(3))


@torch.no_grad()
def result(net, shape):
    """The logits of a network, or its features if it has no classifier."""
    if net.num_classes > 0:
        return net(image(shape))
    return net.forward_head(net.forward_features(image(shape)), pre_logits=True)


def rounded_to(dtype):
    """A change: weights of which none needs more bits than a dtype has."""
    return functools.lru_cache(lambda net: copy.deepcopy(net).to(dtype).float())


half, brain = rounded_to(torch.float16), rounded_to(torch.bfloat16)


def equal_bias(net):
    net = copy.deepcopy(net)
    net.classifier.bias.data.fill_(0.25)
    net.bn1.running_var.fill_(0.75)
    return net


def without_bias(net):
    net.classifier = nn.Linear(net.classifier.in_features, CLASSES, bias=False)
    return net


def sequential_tail(net):
    net.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(net.classifier.in_features, CLASSES))
    return net


def without_classifier(net):
    net.reset_classifier(0)
    return net
