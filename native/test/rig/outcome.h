/** The outcome of a run of kernels on the machine. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "array.h"

namespace ghostnet::cuda_on_cpu {

struct Outcome {
  std::vector<std::string> faults;  ///< empty: passed
  double error = 0;                 ///< largest difference from float64, relative to the largest value
  int launches = 0;
  int64_t accesses = 0;
};

/** Largest error that a dtype may have, of the largest value. */
double tolerance(Precision dtype);

/** The nearest number of a dtype. */
double rounded(Precision dtype, double value);

/** What the products of a dtype multiply for a number of it. */
double operand(Precision dtype, double value);

/**
 * The outcome of a run that wrote `out`: the findings of the checker, unwritten elements, and the difference
 * from the expected numbers.
 */
Outcome judge(const cuda::LaunchResult& result, Array& out, const std::vector<double>& expected,
              double tolerance);

}  // namespace ghostnet::cuda_on_cpu
