import json
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

root = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(root / "bench" / "python"), str(root / "native" / "test" / "gpu")]

import packages
from serve import answer
from weights import read_safetensors

SIDE, SHORT_SIDE = 224, 256


class Contender:
    """Answers the requests of ../README.md."""

    def open(self, request):
        version = json.loads((root / "package.json").read_text())["libtorch"]["version"]
        packages.use("torch", [f"torch=={version}+cpu", "numpy==2.4.6"])
        packages.use("pillow", ["pillow==13.0.0"])
        global Image, numpy, torch
        import numpy
        import PIL
        import torch
        from ghostnet import GhostNet
        from PIL import Image

        network, settings = request["network"], request["settings"]
        torch.set_num_threads(settings["intra"])
        model = GhostNet()
        model.load_state_dict(read_safetensors(network["weights"], torch))
        self.model = model.eval().to(memory_format=torch.channels_last)
        self.mean = torch.tensor(network["mean"]).view(1, 3, 1, 1) * 255
        self.std = torch.tensor(network["std"]).view(1, 3, 1, 1) * 255
        self.batch, self.decoders = settings["batch"], settings["decoders"]
        self.pool = ThreadPoolExecutor(self.decoders)
        self.files, self.position = request["files"], 0
        self.decoded = self.prepared = None
        self.works = {
            "pipeline": lambda following: self._pipeline(following, lambda logits: logits.argmax(1).tolist()),
            "decode": lambda following: self._each(following, decode),
            "prepare": lambda following: self._each(following, prepare),
            "resize": self._resize,
            "compute": self._compute,
        }
        name = f"Pillow {PIL.__version__} + torch {torch.__version__}"
        return {"name": name, "settings": settings, "works": list(self.works)}

    def scores(self, request):
        files, rows = iter(self.files), []
        self._pipeline(lambda: next(files, None), lambda logits: rows.extend(logits.log_softmax(1).tolist()))
        return {"scores": rows}

    def turn(self, request):
        end = time.perf_counter() + request["seconds"]

        def following():
            if time.perf_counter() >= end:
                return None
            self.position += 1
            return self.files[(self.position - 1) % len(self.files)]

        start, cpu = time.perf_counter(), time.process_time()
        images = self.works[request["work"]](following)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        return {"images": images, "seconds": seconds, "cpuSeconds": cpu, "loop": None}

    def idle(self, request):
        return {"loop": None}

    def _ahead(self, following, work, count):
        """The results of a function for each file, in order, with `count` files begun before they are needed."""
        begun = deque()
        while True:
            while len(begun) < count and (file := following()) is not None:
                begun.append(self.pool.submit(work, file))
            if not begun:
                return
            yield begun.popleft().result()

    def _pipeline(self, following, use):
        images, batch = 0, []
        for image in self._ahead(following, prepare, self.batch + 2 * self.decoders):
            batch.append(image)
            if len(batch) == self.batch:
                use(self._logits(batch))
                images, batch = images + len(batch), []
        if batch:
            use(self._logits(batch))
        return images + len(batch)

    def _logits(self, images):
        with torch.inference_mode():
            pixels = torch.from_numpy(numpy.stack(images)).permute(0, 3, 1, 2)
            return self.model((pixels.float() - self.mean) / self.std)

    def _each(self, following, work):
        return sum(1 for _ in self._ahead(following, work, 2 * self.decoders))

    def _resize(self, following):
        if self.decoded is None:
            self.decoded = decode(following())
        return self._each(following, lambda file: resize(self.decoded))

    def _compute(self, following):
        if self.prepared is None:
            self.prepared = [prepare(following())] * self.batch
        images = 0
        while following() is not None:
            self._logits(self.prepared)
            images += self.batch
        return images


def decode(file):
    with Image.open(file) as image:
        return image.convert("RGB")


def resize(image):
    """As torchvision's Resize and CenterCrop do."""
    size = [SHORT_SIDE * side // min(image.size) for side in image.size]
    resized = image.resize(size, Image.Resampling.BICUBIC)
    left, top = (round((side - SIDE) / 2) for side in resized.size)
    return numpy.asarray(resized.crop((left, top, left + SIDE, top + SIDE)))


def prepare(file):
    return resize(decode(file))


contender = Contender()
answer({name: getattr(contender, name) for name in ("open", "scores", "turn", "idle")})
