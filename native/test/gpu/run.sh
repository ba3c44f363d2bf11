#!/usr/bin/env bash
# The CUDA kernels and the engine on a machine with a GPU: nvcc, CMake, a C++ compiler and a Python with a CUDA PyTorch, no Node, no
# network.
#   native/test/gpu/run.sh test              results against LibTorch in float64, then compute-sanitizer
#   native/test/gpu/run.sh bench [TB/s]      times; TB/s of the GPU's memory, 3.0 when not given
#   native/test/gpu/run.sh choose            times each ghost module both ways and writes native/engine/cuda/faster_in_two.h
set -euo pipefail
cd "$(dirname "$0")/../../.."
what=${1:-test}
case $what in
  test | bench | choose) ;;
  *)
    echo "usage: run.sh test|bench|choose" >&2
    exit 2
    ;;
esac

if ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "SKIPPED: python3 has no PyTorch that sees a GPU: nothing was run on a GPU."
  exit 0
fi

# Machine code for the GPU at hand only: quick to build.
capability=$(python3 -c 'import torch; print("%d%d" % torch.cuda.get_device_capability())')
LIBTORCH_USE_PYTORCH=1 cmake -S . -B build/gpu -DCMAKE_BUILD_TYPE=Release -DGHOSTNET_CUDA=ON \
  -DGHOSTNET_CUDA_ARCHITECTURES="$capability"
cmake --build build/gpu --target ghostnet_gpu_test ghostnet_engine_test ghostnet_cuda --parallel
found() { find build/gpu -name "$1" -print -quit; }
kernels=$(found libghostnet_gpu_test.so)
engine=$(found libghostnet_engine_test.so)
part=$(found ghostnet_cuda.so)

case $what in
  test)
    python3 native/test/gpu/kernels.py "$kernels"
    python3 native/test/gpu/engine.py "$engine" "$part"
    sanitizer=$(command -v compute-sanitizer || true)
    if [ -z "$sanitizer" ]; then
      echo "SKIPPED: no compute-sanitizer on PATH."
      exit 0
    fi
    for tool in memcheck racecheck initcheck synccheck; do
      "$sanitizer" --tool "$tool" --error-exitcode 1 python3 native/test/gpu/kernels.py "$kernels" --few
      "$sanitizer" --tool "$tool" --error-exitcode 1 python3 native/test/gpu/engine.py "$engine" "$part" --few
    done
    ;;
  bench)
    python3 native/test/gpu/bench.py "$kernels" "${@:2}"
    python3 native/test/gpu/bench_engine.py "$engine" "$part"
    ;;
  choose) python3 native/test/gpu/bench.py "$kernels" --choose ;;
esac
