#include "outcome.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "machine.h"
#include "tensor_float.h"

namespace ghostnet::cuda_on_cpu {

double tolerance(Precision dtype) {
  switch (dtype) {
    case Precision::float32:
    case Precision::tf32:  // of products of operand()s
      return 2e-6;
    case Precision::float16:
      return 1.5e-3;
    case Precision::bfloat16:
      return 1e-2;
  }
  return 0;
}

double rounded(Precision dtype, double value) {
  return number_of(dtype, bits_of(dtype, static_cast<float>(value)));
}

double operand(Precision dtype, double value) {
  switch (dtype) {
    case Precision::tf32:
      return tensor_float_of(nearest_tensor_float(std::bit_cast<uint32_t>(static_cast<float>(value))));
    case Precision::float32:
    case Precision::float16:
    case Precision::bfloat16:
      break;
  }
  return value;
}

Outcome judge(const cuda::LaunchResult& result, Array& out, const std::vector<double>& expected,
              double tolerance) {
  const Checker& checker = machine().checker;
  Outcome outcome;
  outcome.launches = checker.launches();
  outcome.accesses = checker.accesses();
  if (result.status != cuda::Launch::done) outcome.faults.push_back("not launched");
  for (const auto& [kind, finding] : checker.findings()) {
    outcome.faults.push_back(kind + " (" + std::to_string(finding.count) + "x): " + finding.detail);
  }
  if (const size_t bytes = checker.unwritten(out.data())) {
    outcome.faults.push_back("output not written: " + std::to_string(bytes) + " bytes");
  }
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double found = out.get(i);
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::isnan(found) ? std::numeric_limits<double>::infinity()
                                   : std::max(difference, std::abs(found - expected[i]));
    if (std::isinf(difference)) break;
  }
  outcome.error = difference == 0 ? 0 : difference / largest;
  if (!(outcome.error <= tolerance)) {
    outcome.faults.push_back("differs from float64 by " + std::to_string(outcome.error) +
                             " of the largest value");
  }
  return outcome;
}

}  // namespace ghostnet::cuda_on_cpu
