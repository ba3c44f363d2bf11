"""Images a second of GhostNet 1.0x from host memory to host memory: the engine, with and without graphs, fused and in two, and
PyTorch, eager and torch.compile, all on the same weights. Called by run.sh; never run on a GPU so far.

bench_engine.py LIBRARY PART [--cpu]   as engine.py; --cpu: tiny, PyTorch on the CPU, to try this script with the rig
"""

import concurrent.futures
import pathlib
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import ghostnet

torch.classes.load_library(sys.argv[1])
PART, CPU = sys.argv[2], "--cpu" in sys.argv
SIDE, BATCHES, SECONDS = (32, (1,), 0.1) if CPU else (224, (1, 64, 256), 2.0)
DEVICE = "cpu" if CPU else "cuda"
VARIANT, WIDTH = ("ghostnet_050", 0.5) if CPU else ("ghostnet_100", 1.0)


def rate(work, batch):
    """Images a second with two batches on their way, the median of three stretches."""
    rates = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            start, done = time.perf_counter(), 0
            while time.perf_counter() - start < SECONDS:
                for job in [pool.submit(work) for _ in range(4)]:
                    job.result()
                done += 4 * batch
            rates.append(done / (time.perf_counter() - start))
    return sorted(rates)[1]


def pytorch(model, images, dtype):
    """As a careful user would write it: pinned memory, bytes over the bus, normalised on the GPU, channels last."""
    model = model.to(DEVICE, getattr(torch, dtype), memory_format=torch.channels_last)
    staged = images if CPU else images.pin_memory()
    parameter = next(model.parameters())

    def run(network):
        with torch.inference_mode():
            x = ghostnet.normalised(staged.to(DEVICE, non_blocking=True)).to(parameter.dtype)
            return network(x.contiguous(memory_format=torch.channels_last)).float().cpu()

    return run


torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.benchmark = True
network = torch.classes.ghostnet_engine_test.Network(VARIANT, 3, PART)
print(f"{'this CPU' if CPU else torch.cuda.get_device_name()}, PyTorch {torch.__version__}; images a second, and times eager")
for dtype in ("float32", "float16"):
    for batch in BATCHES:
        images = torch.randint(0, 256, (batch, SIDE, SIDE, 3), dtype=torch.uint8)
        works = {}
        for name, path, graphs in (
            ("engine", "measured", True),
            ("engine, fused, no graphs", "fused", False),
            ("engine, fused, graphs", "fused", True),
            ("engine, in two, graphs", "in_two", True),
        ):

            def engine(path=path, graphs=graphs):
                network.open(dtype, path, graphs)
                return lambda: network.run(images, False)

            works[name] = engine
        model = ghostnet.load(network, WIDTH)
        run = pytorch(model, images, dtype)
        works["PyTorch eager"] = lambda: lambda: run(model)

        def compiled():
            network_compiled = torch.compile(model, mode="max-autotune" if not CPU else "default", dynamic=False)
            return lambda: run(network_compiled)

        works["torch.compile"] = compiled
        rates, results = {}, {}
        for name, prepare in works.items():
            try:
                work = prepare()
                results[name] = work()
                rates[name] = rate(work, batch)
            except Exception as reason:  # a compiler that is not there, too little memory: the others go on
                print(f"SKIPPED {name}: {str(reason).splitlines()[0]}")
        base = rates.get("PyTorch eager")
        print(f"\n{dtype}, batch {batch}")
        for name, value in rates.items():
            apart = (results[name] - results["PyTorch eager"]).abs().max() / results["PyTorch eager"].abs().max()
            times = f"{value / base:8.2f}" if base else ""
            print(f"  {name:28}{value:12.0f}{times}   logits apart {apart:.1e}")
