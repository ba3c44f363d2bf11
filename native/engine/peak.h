#pragma once

namespace ghostnet {

/**
 * The best measured number of multiply-adds per second that `threads` threads of the pool reach together with
 * the instruction set of the kernels. Call it on the executor's thread; takes about 50 ms.
 */
double measure_peak(int threads);

}  // namespace ghostnet
