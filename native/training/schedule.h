#pragma once

#include <cstdint>

namespace ghostnet {

/** The learning rate of every step: a linear warm-up, then half a cosine down to zero. */
struct Schedule {
  double peak = 1e-3;
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;

  /**
   * @param step from 0. The last step of the warm-up has the peak; the rate would reach 0 one step after the
   * last.
   */
  double rate(int64_t step) const;
};

}  // namespace ghostnet
