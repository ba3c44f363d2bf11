#!/usr/bin/env bash
# The CUDA kernels on a machine with a GPU: nvcc, CMake, a C++ compiler and a Python with a CUDA PyTorch, no Node, no network.
#   native/test/gpu/run.sh test    results against LibTorch in float64, then compute-sanitizer
#   native/test/gpu/run.sh bench   times
set -euo pipefail
cd "$(dirname "$0")/../../.."
what=${1:-test}

if ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "SKIPPED: python3 has no PyTorch that sees a GPU: nothing was run on a GPU."
  exit 0
fi

# Machine code for the GPU at hand only: quick to build.
capability=$(python3 -c 'import torch; print("%d%d" % torch.cuda.get_device_capability())')
LIBTORCH_USE_PYTORCH=1 cmake -S . -B build/gpu -DCMAKE_BUILD_TYPE=Release -DGHOSTNET_CUDA=ON \
  -DGHOSTNET_CUDA_ARCHITECTURES="$capability"
cmake --build build/gpu --target ghostnet_gpu_test --parallel
library=$(find build/gpu -name 'libghostnet_gpu_test.so' -print -quit)

case $what in
  test)
    python3 native/test/gpu/kernels.py "$library"
    sanitizer=$(command -v compute-sanitizer || true)
    if [ -z "$sanitizer" ]; then
      echo "SKIPPED: no compute-sanitizer on PATH."
      exit 0
    fi
    for tool in memcheck racecheck initcheck synccheck; do
      "$sanitizer" --tool "$tool" --error-exitcode 1 python3 native/test/gpu/kernels.py "$library" --few
    done
    ;;
  bench) python3 native/test/gpu/bench.py "$library" "${@:2}" ;;
  *)
    echo "usage: run.sh test|bench" >&2
    exit 2
    ;;
esac
