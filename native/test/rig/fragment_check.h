#pragma once

namespace ghostnet::cuda_on_cpu {

/**
 * Whether the models of mma.sync and ldmatrix take and give fragments as strides say that were not derived
 * from the models: those that CUTLASS publishes (include/cute/atom/mma_traits_sm80.hpp), by whose layouts
 * its products are right on GPUs.
 */
bool fragments_are_where_cutlass_has_them();

}  // namespace ghostnet::cuda_on_cpu
