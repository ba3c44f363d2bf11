#!/usr/bin/env bash
# Runs the CUDA kernels and the engine on a machine with a GPU. Needs nvcc, CMake, a C++ compiler and a Python with a CUDA PyTorch, but
# neither Node nor a network. First builds what has changed.
#   native/test/gpu/run.sh build
#   native/test/gpu/run.sh test [kernels|engine|sanitizer]     results against LibTorch in float64; the same, few, under compute-sanitizer
#   native/test/gpu/run.sh bench [modules|network] [batch ...] times; "network" takes "--max-autotune", too
#   native/test/gpu/run.sh choose                              times each ghost module both ways and writes
#                                                              native/engine/cuda/faster_in_two.h
set -euo pipefail
cd "$(dirname "$0")/../../.."
export PYTHONUNBUFFERED=1

usage() {
  sed -n 's/^#   /  /p' "$0" >&2
  exit 2
}
what=${1:-test}
shift || true
case $what in
  test) known="kernels engine sanitizer" ;;
  bench) known="modules network" ;;
  build | choose) known="" ;;
  *) usage ;;
esac
parts=$known
if [[ " $known " == *" ${1:-none} "* ]]; then
  parts=$1
  shift
fi
if [ $# -gt 0 ] && [ "$what" != bench ]; then usage; fi

if ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "SKIPPED: python3 has no PyTorch that finds a GPU: nothing was run on a GPU."
  exit 0
fi

# Machine code only for this GPU, which is quick to build.
capability=$(python3 -c 'import torch; print("%d%d" % torch.cuda.get_device_capability())')
LIBTORCH_USE_PYTORCH=1 cmake -S . -B build/gpu -DCMAKE_BUILD_TYPE=Release -DGHOSTNET_CUDA=ON \
  -DGHOSTNET_CUDA_ARCHITECTURES="$capability"
cmake --build build/gpu --target ghostnet_gpu_test ghostnet_engine_test ghostnet_cuda --parallel "$(nproc)"
kernels=(native/test/gpu/kernels.py build/gpu/libghostnet_gpu_test.so)
engine=(native/test/gpu/engine.py build/gpu/libghostnet_engine_test.so build/gpu/ghostnet_cuda.so)

# Runs under one of compute-sanitizer's tools. Each tensor is a separate allocation there, so that reads past its end are found.
sanitized() {
  local tool=$1 options=()
  shift
  # PyTorch makes driver calls that may fail.
  if [ "$tool" = memcheck ]; then options=(--padding 1024 --report-api-errors no); fi
  PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool "$tool" "${options[@]}" --error-exitcode 1 python3 "$@"
}

sanitizer() {
  if ! command -v compute-sanitizer >/dev/null; then
    echo "SKIPPED: no compute-sanitizer on PATH."
    return
  fi
  echo "A read past the end of a tensor, which must be found:"
  if sanitized memcheck "${kernels[@]}" --planted >build/gpu/planted.log 2>&1 ||
    ! grep "Invalid __global__ read" build/gpu/planted.log; then
    cat build/gpu/planted.log
    echo "FAILED: compute-sanitizer does not see the reads of the kernels."
    exit 1
  fi
  for tool in memcheck racecheck initcheck synccheck; do
    sanitized "$tool" "${kernels[@]}" --few
    sanitized "$tool" "${engine[@]}" --few
  done
}

for part in $parts; do
  echo "== $part =="
  case $part in
    kernels) python3 "${kernels[@]}" ;;
    engine) python3 "${engine[@]}" ;;
    sanitizer) sanitizer ;;
    modules) python3 native/test/gpu/bench.py "${kernels[1]}" "$@" ;;
    network) python3 native/test/gpu/bench_engine.py "${engine[@]:1}" "$@" ;;
  esac
done
if [ "$what" = choose ]; then python3 native/test/gpu/bench.py "${kernels[1]}" --choose; fi
