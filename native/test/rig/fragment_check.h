#pragma once

namespace ghostnet::cuda_on_cpu {

/**
 * Whether the fragments of the models of mma.sync and ldmatrix have the layouts that CUTLASS publishes
 * (include/cute/atom/mma_traits_sm80.hpp). These are independent of the models, and correct on GPUs.
 */
bool fragments_are_where_cutlass_has_them();

}  // namespace ghostnet::cuda_on_cpu
