"""Times the ghost modules of GhostNet 1.0x on a GPU: the fused kernel, the two kernels and LibTorch, with and without CUDA
graphs, against the time that their bytes take. Called by run.sh; never run on a GPU so far.

bench.py LIBRARY [bandwidth in TB/s, default 3.0]
bench.py LIBRARY --choose   times each module both ways and writes which are faster in two kernels
"""

import pathlib
import sys

import torch
import torch.nn.functional as F

torch.ops.load_library(sys.argv[1])
CHOOSE = "--choose" in sys.argv
BANDWIDTH = float(sys.argv[2]) * 1e12 if len(sys.argv) > 2 and not CHOOSE else 3.0e12
TABLE = pathlib.Path(__file__).resolve().parents[3] / "native" / "engine" / "cuda" / "faster_in_two.h"


def seconds(work, repeats=30):
    """The median of single runs, each between two events."""
    for _ in range(5):
        work()
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return sorted(times)[len(times) // 2]


def graphed(work):
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def module(batch, c, maps, side, relu, dtype):
    make = lambda *shape: torch.randn(*shape, device="cuda", dtype=dtype)
    x, out = make(batch, side, side, c), make(batch, side, side, 2 * maps)
    primary, cheap = make(maps, c) / c**0.5, make(maps, 1, 3, 3) / 3
    bias = make(maps)
    packed = (primary, bias.float(), cheap.flatten(1).t().float().contiguous(), bias.float())
    nchw, kernel = x.permute(0, 3, 1, 2), primary.view(maps, c, 1, 1).contiguous(memory_format=torch.channels_last)

    def ours(in_two):
        torch.ops.ghostnet_test.run(x, *packed, None, out, 3, relu, in_two)

    def libtorch():
        act = F.relu if relu else (lambda t: t)
        intrinsic = act(F.conv2d(nchw, kernel, bias))
        return torch.cat([intrinsic, act(F.conv2d(intrinsic, cheap, bias, padding=1, groups=maps))], 1)

    size = x.element_size()
    moved = (x.numel() + out.numel()) * size
    return {"fused": lambda: ours(False), "in two": lambda: ours(True), "LibTorch": libtorch}, moved


def table(batch, dtype):
    print(f"\n{torch.cuda.get_device_name()}, batch {batch}, {dtype}, bytes at {BANDWIDTH / 1e12} TB/s; microseconds")
    print(f"{'module':24}{'bytes':>9}{'fused':>9}{'in two':>9}{'LibTorch':>9}")
    works, floor = [], 0
    for c, maps, _, side, relu in torch.ops.ghostnet_test.network_modules(224).tolist():
        paths, moved = module(batch, c, maps, side, bool(relu), dtype)
        works.append(paths)
        floor += moved / BANDWIDTH
        row = [moved / BANDWIDTH] + [seconds(work) for work in paths.values()]
        print(f"{f'{c} -> 2*{maps} at {side}':24}" + "".join(f"{t * 1e6:9.1f}" for t in row))
    for graph in (False, True):
        row = [floor]
        for path in ("fused", "in two", "LibTorch"):

            def everything():
                for paths in works:
                    paths[path]()

            row.append(seconds(graphed(everything) if graph else everything))
        print(f"{'all, one graph' if graph else 'all':24}" + "".join(f"{t * 1e6:9.1f}" for t in row))


def faster_in_two():
    """(dtype, input channels, maps, pixels of a batch from which on it is faster in two) of each module where it is, by 3 % and
    for all larger batches that were measured."""
    names = {torch.float32: "kFloat32", torch.float16: "kFloat16", torch.bfloat16: "kBFloat16"}
    entries = []
    for dtype, name in names.items():
        for c, maps, _, side, relu in sorted(set(map(tuple, torch.ops.ghostnet_test.network_modules(224).tolist()))):
            since = None
            for batch in (1, 4, 16, 64, 256):
                paths, _ = module(batch, c, maps, side, bool(relu), dtype)
                # The second module of a bottleneck needs an addition behind the two.
                wins = relu and seconds(paths["in two"]) < 0.97 * seconds(paths["fused"])
                since = (since or batch * side * side) if wins else None
            if since is not None:
                entries.append(f"    {{Dtype::{name}, {c}, {maps}, {since}}},")
    return entries


def write_choice(entries):
    text = TABLE.read_text()
    begin = text.index("inline constexpr std::initializer_list")
    head = text[: text.index("#pragma once")].splitlines()
    head = [head[0], f"// Measured on: {torch.cuda.get_device_name()}."]
    rows = "\n".join(["{", *entries, "}"]) if entries else "{}"
    table = f"inline constexpr std::initializer_list<FasterInTwo> kFasterInTwo = {rows};\n\n}}  // namespace ghostnet::cuda\n"
    TABLE.write_text("\n".join(head) + "\n" + text[text.index("#pragma once") : begin] + table)
    print(f"{TABLE}: {len(entries)} modules run in two")


if CHOOSE:
    write_choice(faster_in_two())
else:
    for dtype in (torch.float16, torch.float32):
        for batch in (1, 64, 256):
            table(batch, dtype)
