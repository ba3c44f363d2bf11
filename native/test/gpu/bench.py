"""Times the ghost modules of GhostNet 1.0x on a GPU: the fused kernel, the two kernels and LibTorch, each as the engine launches
it, recorded in a CUDA graph, beside the time to copy the same bytes. Called by run.sh; never run on a GPU so far.

bench.py LIBRARY [batch ...]   by default 1, 64 and 256
bench.py LIBRARY --choose      times each module both ways and writes the list of those that are faster in two kernels
"""

import pathlib
import re
import sys

import torch
import torch.nn.functional as F

TABLE = pathlib.Path(__file__).resolve().parents[3] / "native" / "engine" / "cuda" / "faster_in_two.h"
NAMES = {torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16"}


def median_seconds(work, repeats=10):
    """The time of single runs, each between two events."""
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return sorted(times)[len(times) // 2]


def seconds(work, times=20):
    """The time of one run among several in a CUDA graph: Python takes longer to launch a module than a GPU to compute it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):  # convolutions choose their algorithm before the recording
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(times):
            work()
    graph.replay()
    return median_seconds(graph.replay) / times


def copied_per_second():
    """Bytes per second, read and written, of a copy in GPU memory."""
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / seconds(lambda: target.copy_(source))


def network_modules():
    """(input channels, maps, side, ReLU) in the order in which they run."""
    rows = torch.ops.ghostnet_test.network_modules(224).tolist()
    return [(c, maps, side, bool(relu)) for c, maps, _, side, relu in rows]


def module(batch, c, maps, side, relu, dtype):
    """The functions that compute a module, by name, and the bytes of its input and output."""
    make = lambda *shape: torch.randn(*shape, device="cuda", dtype=dtype)
    x, out = make(batch, side, side, c), make(batch, side, side, 2 * maps)
    primary, cheap = make(maps, c) / c**0.5, make(maps, 1, 3, 3) / 3
    bias = make(maps)
    packed = (primary, bias.float(), cheap.flatten(1).t().float().contiguous(), bias.float())
    nchw, kernel = x.permute(0, 3, 1, 2), primary.view(maps, c, 1, 1).contiguous(memory_format=torch.channels_last)

    def ours(in_two):
        torch.ops.ghostnet_test.run(x, *packed, None, out, 3, relu, in_two, False)

    def libtorch():
        act = F.relu if relu else (lambda t: t)
        intrinsic = act(F.conv2d(nchw, kernel, bias))
        return torch.cat([intrinsic, act(F.conv2d(intrinsic, cheap, bias, padding=1, groups=maps))], 1)

    moved = (x.numel() + out.numel()) * x.element_size()
    return {"fused": lambda: ours(False), "in two": lambda: ours(True), "LibTorch": libtorch}, moved


def table(batch, dtype, bandwidth):
    print(
        f"\n{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, batch {batch}, {dtype}; microseconds; bytes: the time "
        f"that input and output take at the {bandwidth / 1e12:.2f} TB/s of a copy; what was written last may be in the cache"
    )
    print(f"{'module':24}{'bytes':>9}{'fused':>9}{'in two':>9}{'LibTorch':>9}")
    works, floor = [], 0
    for c, maps, side, relu in network_modules():
        paths, moved = module(batch, c, maps, side, relu, dtype)
        works.append(paths)
        floor += moved / bandwidth
        row = [moved / bandwidth] + [seconds(work) for work in paths.values()]
        print(f"{f'{c} -> 2*{maps} at {side}':24}" + "".join(f"{t * 1e6:9.1f}" for t in row))
    for graph in (False, True):
        row = [floor]
        for path in ("fused", "in two", "LibTorch"):

            def everything():
                for paths in works:
                    paths[path]()

            row.append(seconds(everything, 1) if graph else median_seconds(everything))
        print(f"{'all, one graph' if graph else 'all, no graph':24}" + "".join(f"{t * 1e6:9.1f}" for t in row))


def faster_in_two():
    """(dtype, input channels, maps, least pixels of a batch) of each module that is faster in two kernels, by 3 % and in all larger
    measured batches."""
    modules = set(network_modules())
    # The second module of a bottleneck needs an addition after the two kernels; the table identifies modules by their channels.
    second = {(c, maps) for c, maps, _, relu in modules if not relu}
    entries = []
    for dtype, name in NAMES.items():
        for c, maps, side, relu in sorted(m for m in modules if m[:2] not in second):
            since = None
            for batch in (1, 4, 16, 64, 256):
                paths, _ = module(batch, c, maps, side, relu, dtype)
                wins = seconds(paths["in two"]) < 0.97 * seconds(paths["fused"])
                since = (since or batch * side * side) if wins else None
            if since is not None:
                entries.append(f"    {{Precision::{name}, {c}, {maps}, {since}}},")
    return entries


def write_choice(entries):
    text = TABLE.read_text()
    begin = text.index("inline constexpr std::initializer_list")
    head = re.sub(r"(// kernels\.) .*", rf"\1 Measured on: {torch.cuda.get_device_name()}.", text[:begin])
    rows = "\n".join(["{", *entries, "}"]) if entries else "{}"
    table = f"inline constexpr std::initializer_list<FasterInTwo> kFasterInTwo = {rows};\n\n}}  // namespace ghostnet::cuda\n"
    TABLE.write_text(head + table)
    print(f"{TABLE}: {len(entries)} entries")


torch.ops.load_library(sys.argv[1])
# LibTorch at its best in the same arithmetic.
torch.backends.cudnn.benchmark = True
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
if sys.argv[2:] == ["--choose"]:
    write_choice(faster_in_two())
else:
    bandwidth = copied_per_second()
    for batch in map(int, sys.argv[2:] or (1, 64, 256)):
        for dtype in (torch.float16, torch.float32):
            table(batch, dtype, bandwidth)
