#pragma once

namespace ghostnet {

/**
 * Multiply-adds that `threads` threads of the pool do together in a second, at best, with the instruction set
 * that the kernels use here. On the executor's thread; takes about 50 ms. Free of LibTorch.
 */
double measure_peak(int threads);

}  // namespace ghostnet
