// Runs the source of the CUDA kernels on this CPU under the checker.
//   cuda_on_cpu            everything, ends with "N passed, N failed"
//   cuda_on_cpu --only T   only the cases whose text contains T
//   cuda_on_cpu --edges D  the edge cases of dtype D (float32, float16, bfloat16, tf32) only, until one
//   fails: for mutants
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cases.h"
#include "fragment_check.h"
#include "kernels/cuda/call.h"
#include "layer_cases.h"
#include "numbers.h"
#include "tensor_float.h"

namespace ghostnet::cuda_on_cpu {
namespace {

struct Tally {
  std::string only = {};  ///< runs only the cases whose text contains this
  int passed = 0, failed = 0;

  void count(bool pass, const std::string& what) {
    (pass ? passed : failed) += 1;
    if (!pass) std::printf("FAILED %s\n", what.c_str());
  }
};

std::string report(const std::string& what, const Outcome& outcome) {
  std::string text = what;
  for (const std::string& fault : outcome.faults) text += "\n    " + fault;
  return text;
}

std::string text_of(const Case& c) { return c.text(); }
std::string text_of(const LayerCase& c) { return c.text; }
Outcome outcome_of(const Case& c) { return run(c); }
Outcome outcome_of(const LayerCase& c) { return c.run(); }
bool is_one_launch(const Case& c) { return c.path != Path::two_kernels; }
bool is_one_launch(const LayerCase&) { return true; }

/** Runs cases and prints one line for all of them. */
template <class C>
void run_group(const char* name, Precision dtype, std::vector<C> cases, Tally& tally) {
  std::erase_if(cases, [&](const C& c) { return text_of(c).find(tally.only) == std::string::npos; });
  if (cases.empty()) return;
  const auto start = std::chrono::steady_clock::now();
  const int failed = tally.failed;
  double worst = 0;
  int64_t accesses = 0;
  for (const C& c : cases) {
    const std::string what = text_of(c);
    const Outcome outcome = outcome_of(c);
    tally.count(outcome.faults.empty(), report(what, outcome));
    if (is_one_launch(c)) tally.count(outcome.launches == 1, what + ": not one launch");
    worst = std::max(worst, outcome.error);
    accesses += outcome.accesses;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%-9s %-24s %4zu runs, %d failed, largest error %.2e of %.1e, %.0f million accesses, %.1f s\n",
              name_of(dtype), name, cases.size(), tally.failed - failed, worst, tolerance(dtype),
              static_cast<double>(accesses) / 1e6, seconds.count());
  std::fflush(stdout);
}

/** TF32: the nearest number with 10 fraction bits, ties away from zero; NaN stays NaN. */
void check_tensor_floats(Tally& tally) {
  bool rounds = true;
  for (const float value : {1.f, -3.f, 1e-30f, -6e37f}) {
    for (uint32_t step = 0; step < 0x2000; step += 0x100) {
      const uint32_t bits = std::bit_cast<uint32_t>(value) + step;
      const double low = std::bit_cast<float>(bits & kTensorFloatBits);
      const double high = std::bit_cast<float>((bits & kTensorFloatBits) + 0x2000);
      const double given = std::bit_cast<float>(bits);
      const double found = tensor_float_of(nearest_tensor_float(bits));
      rounds &= found == (std::abs(given - low) < std::abs(high - given) ? low : high);
    }
  }
  tally.count(rounds, "float32 is rounded to the nearest tf32, ties away from zero");
  const auto after = [](float value) {
    return tensor_float_of(nearest_tensor_float(std::bit_cast<uint32_t>(value)));
  };
  tally.count(std::isnan(after(std::bit_cast<float>(0x7fffffffu))) && std::isinf(after(INFINITY)) &&
                  std::isinf(after(std::bit_cast<float>(0x7f7fffffu))),
              "tf32 keeps NaN and infinity");
}

/** The 16-bit formats: every number converted and back, and rounding compared with float64. */
void check_formats(Tally& tally) {
  const auto nearest = [](double value, uint16_t (*from)(float), float (*to)(uint16_t)) {
    const uint16_t bits = from(static_cast<float>(value));
    const double error = std::abs(to(bits) - value);
    const double up = std::abs(to(static_cast<uint16_t>(bits + 1)) - value);
    const double down = (bits & 0x7fff) == 0 ? error : std::abs(to(static_cast<uint16_t>(bits - 1)) - value);
    return error <= up && error <= down && (error < up || bits % 2 == 0 || up == 0) &&
           (error < down || bits % 2 == 0 || (bits & 0x7fff) == 0);
  };
  bool same = true, rounds = true;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto b = static_cast<uint16_t>(bits);
    same &= std::isnan(float_of_half(b)) ? std::isnan(float_of_half(half_of(float_of_half(b))))
                                         : half_of(float_of_half(b)) == b;
    same &= std::isnan(float_of_bfloat16(b))
                ? std::isnan(float_of_bfloat16(bfloat16_of(float_of_bfloat16(b))))
                : bfloat16_of(float_of_bfloat16(b)) == b;
    if ((bits & 0x7fff) >= 0x7bff) continue;
    const double here = float_of_half(b), next = float_of_half(static_cast<uint16_t>(b + 1));
    for (const double part : {0.25, 0.5, 0.75})
      rounds &= nearest(here + (next - here) * part, half_of, float_of_half);
  }
  for (uint32_t bits = 0x3000; bits < 0x5000; ++bits) {
    const double here = float_of_bfloat16(static_cast<uint16_t>(bits));
    const double next = float_of_bfloat16(static_cast<uint16_t>(bits + 1));
    for (const double part : {0.25, 0.5, 0.75}) {
      rounds &= nearest(here + (next - here) * part, bfloat16_of, float_of_bfloat16);
    }
  }
  tally.count(same, "16-bit numbers come back from float32 as they were");
  tally.count(rounds, "16-bit numbers are rounded to nearest, ties to even");
  check_tensor_floats(tally);
  tally.count(fragments_are_where_cutlass_has_them(),
              "the models of mma.sync and ldmatrix agree with CUTLASS");
  tally.count(std::isinf(float_of_half(half_of(65520.f))) && float_of_half(half_of(65519.f)) == 65504.f,
              "float16 overflows where it should");
}

/** The calls that a launch rejects before it uses a pointer. */
void check_refusals(Tally& tally) {
  using Module = cuda::GpuGhostModule;
  Module good;
  good.batch = good.height = good.width = good.in_channels = good.intrinsic = 1;
  good.out_channels = 2;
  const auto refused = [&](const char* what, auto change) {
    Module module = good;
    change(module);
    tally.count(cuda::launch(cuda::GpuGhostCall{module}, nullptr).status == cuda::Launch::unsupported &&
                    cuda::launch(cuda::GhostModuleInTwo{module}, nullptr).status == cuda::Launch::unsupported,
                std::string("refuses ") + what);
  };
  refused("a ratio of 1", [](Module& m) { m.ratio = 1; });
  refused("an even cheap operation", [](Module& m) { m.cheap_size = 4; });
  refused("a cheap operation of 9", [](Module& m) { m.cheap_size = 9; });
  refused("no output channel", [](Module& m) { m.out_channels = 0; });
  refused("more output channels than there are", [](Module& m) { m.out_channels = 3; });
  refused("an empty plane", [](Module& m) { m.height = 0; });
  refused("a negative batch", [](Module& m) { m.batch = -1; });
  refused("an image of 2 GiB", [](Module& m) { m.height = m.width = 32768; });
  refused("a grid of 2^31 blocks", [](Module& m) { m.batch = int64_t{1} << 40; });
  Module nothing = good;
  nothing.batch = 0;
  machine().checker.reset();
  tally.count(cuda::launch(cuda::GpuGhostCall{nothing}, nullptr).status == cuda::Launch::done &&
                  machine().checker.launches() == 0,
              "an empty batch launches nothing");
  Module gated = good;
  gated.gate = reinterpret_cast<const float*>(uintptr_t{4096});
  tally.count(cuda::launch(cuda::GpuGhostCall{gated}, nullptr).status == cuda::Launch::unsupported,
              "gates that cannot be read four at a time are rejected");
  Module residual = good;
  residual.residual = &residual;
  tally.count(cuda::launch(cuda::GhostModuleInTwo{residual}, nullptr).status == cuda::Launch::unsupported,
              "two kernels reject a residual");
  Module sums = good;
  sums.in_channels = 2;
  tally.count(cuda::launch(cuda::GhostEpilogueCall{sums}, nullptr).status == cuda::Launch::unsupported,
              "the epilogue rejects sums that are not those of its maps");
}

template <class Call, class Change>
void check_refusal(Tally& tally, const char* what, Call call, Change change) {
  change(call);
  tally.count(cuda::launch(call, nullptr).status == cuda::Launch::unsupported,
              std::string("refuses ") + what);
}

void check_layer_refusals(Tally& tally) {
  cuda::DepthwiseCall depthwise;
  depthwise.batch = depthwise.height = depthwise.width = depthwise.channels = 1;
  check_refusal(tally, "an even kernel", depthwise, [](auto& c) { c.kernel_width = 4; });
  check_refusal(tally, "a kernel of 33", depthwise, [](auto& c) { c.kernel_height = 33; });
  check_refusal(tally, "a stride of 3", depthwise, [](auto& c) { c.stride = 3; });
  check_refusal(tally, "a negative batch", depthwise, [](auto& c) { c.batch = -1; });
  check_refusal(tally, "an image of 2 GiB", depthwise, [](auto& c) { c.height = c.width = 32768; });
  check_refusal(tally, "a grid of 2^31 blocks", depthwise, [](auto& c) { c.batch = int64_t{1} << 40; });
  cuda::HalveCall halve;
  halve.batch = halve.channels = 1;
  halve.height = halve.width = 2;
  check_refusal(tally, "a row without a half", halve, [](auto& c) { c.height = 1; });
  check_refusal(tally, "a plane of 2 GiB", halve, [](auto& c) { c.height = c.width = 32768; });
  cuda::AttentionCall attention;
  attention.batch = attention.channels = attention.height = attention.width = 1;
  attention.gate_height = attention.gate_width = 1;
  check_refusal(tally, "a gate larger than the plane", attention, [](auto& c) { c.gate_width = 2; });
  check_refusal(tally, "an empty gate", attention, [](auto& c) { c.gate_height = 0; });
  cuda::StemCall stem;
  stem.batch = stem.height = stem.width = stem.out_channels = 1;
  check_refusal(tally, "no output channel", stem, [](auto& c) { c.out_channels = 0; });
  cuda::DenseCall dense;
  dense.rows = dense.depth = dense.columns = 1;
  check_refusal(tally, "no depth", dense, [](auto& c) { c.depth = 0; });
  check_refusal(tally, "a weight of 2 GiB", dense, [](auto& c) { c.depth = c.columns = 32768; });
  cuda::MeansCall means;
  means.batch = means.channels = 1;
  check_refusal(tally, "no pixel", means, [](auto&) {});
  cuda::PointwiseCall pointwise;
  pointwise.in_channels = pointwise.out_channels = 1;
  machine().checker.reset();
  tally.count(
      cuda::launch(pointwise, nullptr).status == cuda::Launch::done && machine().checker.launches() == 0,
      "no pixels launch nothing");
}

void run_cases(Tally& tally) {
  for (const Precision dtype : kPrecisions) {
    run_group("edges", dtype, edge_cases(dtype), tally);
    run_group("random shapes", dtype, random_cases(dtype, 60), tally);
    run_group("other layers", dtype, layer_edge_cases(dtype), tally);
    run_group("other layers, random", dtype, random_layer_cases(dtype, 120), tally);
    run_group("GhostNet 1.0x, fused", dtype, network_cases(dtype, Path::fused), tally);
    if (dtype == Precision::float16) {
      run_group("GhostNet 1.0x, in two", dtype, network_cases(dtype, Path::two_kernels), tally);
    }
  }
}

int report_of(const Tally& tally) {
  std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
  return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
}

int run_all() {
  Tally tally;
  check_formats(tally);
  check_refusals(tally);
  check_layer_refusals(tally);
  for (const Precision dtype : kPrecisions) {
    tally.count(network_cases(dtype, Path::fused).size() == 32, "GhostNet 1.0x has 32 ghost modules");
  }
  run_cases(tally);
  return report_of(tally);
}

int run_only(const char* text) {
  Tally tally{.only = text};
  run_cases(tally);
  if (tally.passed + tally.failed == 0) std::printf("no case has \"%s\" in its text\n", text);
  return report_of(tally);
}

int run_edges(const char* name) {
  for (const Precision dtype : kPrecisions) {
    if (std::strcmp(name, name_of(dtype)) != 0) continue;
    for (const Case& c : edge_cases(dtype)) {
      const Outcome outcome = run(c);
      if (outcome.faults.empty()) continue;
      std::printf("%s\n", report(c.text(), outcome).c_str());
      return 1;
    }
    for (const LayerCase& c : layer_edge_cases(dtype)) {
      const Outcome outcome = c.run();
      if (outcome.faults.empty()) continue;
      std::printf("%s\n", report(c.text, outcome).c_str());
      return 1;
    }
    return 0;
  }
  std::fprintf(stderr, "no dtype %s\n", name);
  return 2;
}

}  // namespace
}  // namespace ghostnet::cuda_on_cpu

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--edges") == 0) return ghostnet::cuda_on_cpu::run_edges(argv[2]);
  if (argc == 3 && std::strcmp(argv[1], "--only") == 0) return ghostnet::cuda_on_cpu::run_only(argv[2]);
  return ghostnet::cuda_on_cpu::run_all();
}
