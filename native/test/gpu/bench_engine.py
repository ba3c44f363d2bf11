"""Images per second of GhostNet 1.0x from host memory to host memory: the engine, with and without graphs, fused and in two kernels,
and PyTorch, eager and torch.compile, all with the same weights. Called by run.sh; never run on a GPU so far.

bench_engine.py LIBRARY PART [--cpu] [--max-autotune] [batch ...]
    LIBRARY, PART: as for engine.py; batches: by default 1, 64 and 256
    --cpu: a tiny network, and PyTorch on the CPU, to try this script with the rig
    --max-autotune: torch.compile tries more kernels, for many minutes
"""

import concurrent.futures
import itertools
import pathlib
import queue
import sys
import threading
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import ghostnet

torch.classes.load_library(sys.argv[1])
PART, CPU = sys.argv[2], "--cpu" in sys.argv
MODE = "max-autotune-no-cudagraphs" if "--max-autotune" in sys.argv else None
BATCHES = [int(argument) for argument in sys.argv[3:] if argument.isdigit()] or ([1] if CPU else [1, 64, 256])
SIDE, SECONDS = (32, 0.1) if CPU else (224, 1.0)
VARIANT, WIDTH = ("ghostnet_050", 0.5) if CPU else ("ghostnet_100", 1.0)
ON_THEIR_WAY = 2


def rate(work, batch):
    """Images per second while two threads submit batch after batch: the median of three periods."""
    barrier = threading.Barrier(ON_THEIR_WAY)

    def give(_):
        try:
            work()
            barrier.wait()
        except threading.BrokenBarrierError:
            return []  # the failure of the other thread is reported
        except Exception:
            barrier.abort()
            raise
        begin, times = time.perf_counter(), []
        while len(times) < 3 or times[-1] - begin < 3 * SECONDS:
            work()
            times.append(time.perf_counter())
        return times

    with concurrent.futures.ThreadPoolExecutor(ON_THEIR_WAY) as pool:
        times = sorted(itertools.chain(*pool.map(give, range(ON_THEIR_WAY))))
    third = len(times) // 3
    stretches = [times[index * third : (index + 1) * third] for index in range(3)]
    return sorted((third - 1) * batch / (stretch[-1] - stretch[0]) for stretch in stretches)[1]


class Whole(torch.nn.Module):
    """From bytes to float32 logits."""

    def __init__(self, model, dtype):
        super().__init__()
        self.model, self.dtype = model, dtype
        self.register_buffer("mean", ghostnet.MEAN.float())
        self.register_buffer("std", ghostnet.STD.float())

    def forward(self, images):
        x = ((images.float() / 255 - self.mean) / self.std).to(self.dtype).permute(0, 3, 1, 2)  # channels last
        return self.model(x).float()


class Slot:
    """A batch in PyTorch: on its own stream, through page-locked memory, optionally in a CUDA graph."""

    def __init__(self, network, images, graph):
        self.network, self.graph, self.stream = network, None, torch.cuda.Stream()
        self.given, self.result = images.pin_memory(), torch.empty(len(images), 1000).pin_memory()
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for _ in range(3):  # compiles, and chooses convolutions, before the recording
                self.compute()
        self.stream.synchronize()
        if graph:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, stream=self.stream):
                self.compute()

    @torch.inference_mode()
    def compute(self):
        self.result.copy_(self.network(self.given.to("cuda", non_blocking=True)), non_blocking=True)

    def run(self, images):
        self.given.copy_(images)
        with torch.cuda.stream(self.stream):
            self.graph.replay() if self.graph else self.compute()
        self.stream.synchronize()
        return self.result.clone()


def pytorch(network, images, graph):
    """PyTorch as a careful user would run it."""
    if CPU:

        @torch.inference_mode()
        def on_cpu():
            return network(images)

        return on_cpu
    slots = queue.SimpleQueue()
    for _ in range(ON_THEIR_WAY):
        slots.put(Slot(network, images, graph))

    def run():
        slot = slots.get()
        try:
            return slot.run(images)
        finally:
            slots.put(slot)

    return run


def ways(network, images, dtype):
    """The candidates: functions that prepare and return the function that computes the batch."""

    def engine(path, graphs, precision=dtype):
        network.open(precision, path, graphs)
        return lambda: network.run(images, False)

    def whole():
        kind = getattr(torch, dtype)
        model = ghostnet.load(network, WIDTH).to(kind, memory_format=torch.channels_last)
        return Whole(model, kind).eval().to("cpu" if CPU else "cuda")

    def eager(graph):
        # Each thread chooses convolutions again, for seconds each: worth it if a graph keeps the choice.
        torch.backends.cudnn.benchmark = graph
        return pytorch(whole(), images, graph)

    def compiled():
        torch.backends.cudnn.benchmark = True
        torch._dynamo.reset()
        return pytorch(torch.compile(whole(), mode=MODE, dynamic=False), images, True)

    return {
        "PyTorch eager": lambda: eager(False),
        "PyTorch eager, graph": lambda: eager(True),
        f"torch.compile{' max-autotune' if MODE else ''}, graph": compiled,
        "engine": lambda: engine("measured", True),
        "engine, fused, no graphs": lambda: engine("fused", False),
        "engine, fused, graphs": lambda: engine("fused", True),
        "engine, in two, graphs": lambda: engine("in_two", True),
        **({"engine, tf32": lambda: engine("measured", True, "tf32")} if dtype == "float32" else {}),
    }


torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
network = torch.classes.ghostnet_engine_test.Network(VARIANT, 3, PART)
print(f"{'this CPU' if CPU else torch.cuda.get_device_name()}, PyTorch {torch.__version__}; images per second, relative to the first")
for batch in BATCHES:
    images = torch.randint(0, 256, (batch, SIDE, SIDE, 3), dtype=torch.uint8)
    for dtype in ("float32", "float16"):
        print(f"\n{dtype}, batch {batch}")
        first = None
        for name, make_ready in ways(network, images, dtype).items():
            try:
                start = time.perf_counter()
                work = make_ready()
                logits = work()
                ready = time.perf_counter() - start
                value = rate(work, batch)
            except Exception as reason:  # a missing compiler, too little memory: the others continue
                print(f"  {name:28}SKIPPED: {type(reason).__name__}: {str(reason)[:200]}")
                continue
            finally:
                work = None  # and its memory
            first = first or (value, logits)
            apart = (logits - first[1]).abs().max() / first[1].abs().max()
            print(
                f"  {name:28}{value:12.0f}{value / first[0]:8.2f}   logits apart {apart:.1e}   ready in {ready:.1f} s"
            )
