/** Free of LibTorch. Included by kernels only. */
#pragma once

// For functions that take vectors by reference: called, they would go through memory.
#define GHOSTNET_INLINE [[gnu::always_inline]] inline
