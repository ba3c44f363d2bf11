"""The network in PyTorch, for the comparisons of the benchmarks here and in bench/. Source: arXiv 1911.11907,
table 1."""

import torch
import torch.nn as nn
import torch.nn.functional as F

# kernel, expansion, out, squeeze-and-excitation, stride
STAGES = [
    [(3, 16, 16, False, 1)],
    [(3, 48, 24, False, 2)],
    [(3, 72, 24, False, 1)],
    [(5, 72, 40, True, 2)],
    [(5, 120, 40, True, 1)],
    [(3, 240, 80, False, 2)],
    [
        (3, 200, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 480, 112, True, 1),
        (3, 672, 112, True, 1),
    ],
    [(5, 672, 160, True, 2)],
    [(5, 960, 160, False, 1), (5, 960, 160, True, 1), (5, 960, 160, False, 1), (5, 960, 160, True, 1)],
]


def divisible(value, by=4):
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


def depthwise(channels, kernel, stride=1):
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)


class GhostModule(nn.Module):
    def __init__(self, inp, out, relu=True):
        super().__init__()
        maps = -(-out // 2)
        act = nn.ReLU() if relu else nn.Identity()
        self.out = out
        self.primary_conv = nn.Sequential(nn.Conv2d(inp, maps, 1, bias=False), nn.BatchNorm2d(maps), act)
        self.cheap_operation = nn.Sequential(depthwise(maps, 3), nn.BatchNorm2d(maps), act)

    def forward(self, x):
        maps = self.primary_conv(x)
        return torch.cat([maps, self.cheap_operation(maps)], 1)[:, : self.out]


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, divisible(channels * 0.25), 1)
        self.conv_expand = nn.Conv2d(divisible(channels * 0.25), channels, 1)

    def forward(self, x):
        squeezed = F.relu(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        return x * F.hardsigmoid(self.conv_expand(squeezed))


class Bottleneck(nn.Module):
    def __init__(self, inp, middle, out, kernel, stride, squeezes):
        super().__init__()
        self.ghost1 = GhostModule(inp, middle)
        if stride > 1:
            self.conv_dw, self.bn_dw = depthwise(middle, kernel, stride), nn.BatchNorm2d(middle)
        self.strides = stride > 1
        self.se = SqueezeExcite(middle) if squeezes else None
        self.ghost2 = GhostModule(middle, out, relu=False)
        self.shortcut = None
        if inp != out or stride > 1:
            self.shortcut = nn.Sequential(
                depthwise(inp, kernel, stride),
                nn.BatchNorm2d(inp),
                nn.Conv2d(inp, out, 1, bias=False),
                nn.BatchNorm2d(out),
            )

    def forward(self, x):
        y = self.ghost1(x)
        if self.strides:
            y = self.bn_dw(self.conv_dw(y))
        if self.se is not None:
            y = self.se(y)
        return self.ghost2(y) + (x if self.shortcut is None else self.shortcut(x))


class ConvBnAct(nn.Module):
    def __init__(self, inp, out):
        super().__init__()
        self.conv, self.bn1 = nn.Conv2d(inp, out, 1, bias=False), nn.BatchNorm2d(out)

    def forward(self, x):
        return F.relu(self.bn1(self.conv(x)))


class GhostNet(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()
        channels = divisible(16 * width)
        self.conv_stem, self.bn1 = nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels)
        blocks = []
        for rows in STAGES:
            stage = []
            for kernel, expansion, out, squeezes, stride in rows:
                middle, after = divisible(expansion * width), divisible(out * width)
                stage.append(Bottleneck(channels, middle, after, kernel, stride, squeezes))
                channels = after
            blocks.append(nn.Sequential(*stage))
        last = divisible(960 * width)
        blocks.append(nn.Sequential(ConvBnAct(channels, last)))
        self.blocks = nn.Sequential(*blocks)
        self.conv_head = nn.Conv2d(last, 1280, 1)
        self.classifier = nn.Linear(1280, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv_stem(x))))
        x = F.relu(self.conv_head(x.mean((2, 3), keepdim=True)))
        return self.classifier(x.flatten(1))


def load(network, width=1.0):
    """Copies the weights of a torch.classes.ghostnet_engine_test.Network into PyTorch's modules."""
    model = GhostNet(width)
    model.load_state_dict({name: value for name, value in network.state().items()})
    return model.eval()


MEAN = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
STD = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)


def normalised(images, dtype=torch.float32):
    """uint8 [N,H,W,3] to [N,3,H,W] of a dtype, computed in that dtype on the device of the images."""
    mean, std = MEAN.to(images.device, dtype), STD.to(images.device, dtype)
    return ((images.to(dtype) / 255 - mean) / std).permute(0, 3, 1, 2)
