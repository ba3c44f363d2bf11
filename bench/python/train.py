"""Trainings in PyTorch eager, as users of Python write them: python3 train.py speed|accuracy < TASK.json > RESULT.json

speed: the seconds of each step of a network. accuracy: the share of right answers of a whole training, its moving average, on the
validation pictures.
"""

import copy
import json
import math
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "test" / "family"))

import numpy
import timm_alone  # noqa: F401
import torch
from timm.models.ghostnet import _create_ghostnet
from torch.nn.functional import cross_entropy, interpolate

MEAN = torch.tensor([0.485, 0.456, 0.406])
STD = torch.tensor([0.229, 0.224, 0.225])


def optimizer_of(net, task):
    decaying = [value for value in net.parameters() if value.ndim > 1]
    others = [value for value in net.parameters() if value.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": task["weightDecay"]}, {"params": others, "weight_decay": 0}]
    return torch.optim.AdamW(groups, lr=task["learningRate"])


def network_of(task):
    torch.manual_seed(task["seed"])
    net = _create_ghostnet("ghostnet_100", version="v1", width=task["width"], num_classes=task["classes"])
    return net.to(memory_format=torch.channels_last)


class Average:
    def __init__(self, net, decay):
        self.net, self.decay, self.steps = copy.deepcopy(net), decay, 0
        self.values = list(self.net.state_dict().values())

    @torch.no_grad()
    def update(self, net):
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        for own, value in zip(self.values, net.state_dict().values()):
            own.lerp_(value, 1 - decay) if own.is_floating_point() else own.copy_(value)


def step(net, average, optimizer, inputs, labels, task):
    loss = cross_entropy(net(inputs), labels, label_smoothing=task["labelSmoothing"])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), task["maxGradientNorm"])
    optimizer.step()
    average.update(net)


def normalised(pixels):
    return ((pixels.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def speed(task):
    net = network_of(task).train()
    average, optimizer = Average(net, task["ema"]), optimizer_of(net, task)
    shape = (task["batch"], task["side"], task["side"], 3)
    pixels = torch.randint(256, shape, dtype=torch.uint8)
    labels = torch.randint(task["classes"], (task["batch"],))
    seconds = []
    for _ in range(task["warmups"] + task["steps"]):
        begin = time.perf_counter()
        step(net, average, optimizer, normalised(pixels), labels, task)
        seconds.append(time.perf_counter() - begin)
    return seconds[task["warmups"] :]


def random_crop(pixels, side, least):
    """RandomResizedCrop of torchvision and a flip."""
    whole = pixels.shape[0]
    top, left, height, width = 0, 0, whole, whole
    for _ in range(10):
        area = whole * whole * numpy.random.uniform(least, 1)
        ratio = math.exp(numpy.random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= whole and 0 < h <= whole:
            top, left = numpy.random.randint(whole - h + 1), numpy.random.randint(whole - w + 1)
            height, width = h, w
            break
    image = pixels[top : top + height, left : left + width].contiguous().permute(2, 0, 1)[None]
    image = interpolate(image, (side, side), mode="bicubic", antialias=True)[0].permute(1, 2, 0)
    return image.flip(1) if numpy.random.random() < 0.5 else image


def pixels_of(part):
    shape = (len(part["labels"]), part["side"], part["side"], 3)
    return torch.from_numpy(numpy.fromfile(part["file"], dtype=numpy.uint8).reshape(shape)), torch.tensor(part["labels"])


def accuracy(task):
    numpy.random.seed(task["seed"])
    train, labels = pixels_of(task["train"])
    side, batch = task["validation"]["side"], task["batchSize"]
    net = network_of(task).train()
    average, optimizer = Average(net, task["ema"]), optimizer_of(net, task)
    count = len(labels)
    steps = count // batch + (1 if count % batch > 1 else 0)
    total = steps * task["epochs"]
    warmup = round(task["warmup"] * total)
    for epoch in range(task["epochs"]):
        order = torch.randperm(count)
        for index in range(steps):
            number = epoch * steps + index
            rate = (number + 1) / warmup if number < warmup else (1 + math.cos(math.pi * (number - warmup) / (total - warmup))) / 2
            for group in optimizer.param_groups:
                group["lr"] = task["learningRate"] * rate
            chosen = order[index * batch :] if index == steps - 1 else order[index * batch : (index + 1) * batch]
            pixels = torch.stack([random_crop(train[sample], side, task["leastArea"]) for sample in chosen])
            step(net, average, optimizer, normalised(pixels), labels[chosen], task)
    pixels, labels = pixels_of(task["validation"])
    average.net.eval()
    with torch.inference_mode():
        right = [average.net(normalised(part)).argmax(1) for part in pixels.split(64)]
    return (torch.cat(right) == labels).float().mean().item()


task = json.load(sys.stdin)
torch.set_num_threads(task["threads"])
print(json.dumps({"speed": speed, "accuracy": accuracy}[sys.argv[1]](task)))
