/** Included only by kernels. */
#pragma once

// For functions with vectors as reference parameters, which a real call would pass through memory.
#define GHOSTNET_INLINE [[gnu::always_inline]] inline
