#include "case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "half.h"

namespace ghostnet::cuda_on_cpu {

namespace {

using cuda::Dtype;

size_t size_of(Dtype dtype) { return dtype == Dtype::kFloat32 ? 4 : 2; }

/** An array of a dtype at a chosen alignment, with nothing that a kernel may touch around it. */
class Array {
 public:
  Array(Dtype dtype, size_t elements, int misaligned) : dtype_(dtype), elements_(elements) {
    constexpr size_t guard = 4096;
    storage_.resize(elements * size_of(dtype) + 2 * guard + 64,
                    static_cast<char>(0xff));  // NaN in every dtype
    const auto start = reinterpret_cast<uintptr_t>(storage_.data()) + guard;
    data_ = storage_.data() + guard + (16 - start % 16) % 16 + misaligned * size_of(dtype);
  }

  void fill(std::mt19937& random, double scale) {
    std::uniform_real_distribution<double> values(-scale, scale);
    for (size_t i = 0; i < elements_; ++i) set(i, static_cast<float>(values(random)));
  }

  void* data() { return data_; }
  float* floats() { return reinterpret_cast<float*>(data_); }
  size_t bytes() const { return elements_ * size_of(dtype_); }
  size_t elements() const { return elements_; }

  double get(size_t index) const {
    const char* at = data_ + index * size_of(dtype_);
    if (dtype_ == Dtype::kFloat32) {
      float value;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return dtype_ == Dtype::kFloat16 ? float_of_half(bits) : float_of_bfloat16(bits);
  }

 private:
  void set(size_t index, float value) {
    char* at = data_ + index * size_of(dtype_);
    if (dtype_ == Dtype::kFloat32) {
      std::memcpy(at, &value, sizeof value);
    } else {
      const uint16_t bits = dtype_ == Dtype::kFloat16 ? half_of(value) : bfloat16_of(value);
      std::memcpy(at, &bits, sizeof bits);
    }
  }

  Dtype dtype_;
  size_t elements_;
  std::vector<char> storage_;
  char* data_;
};

struct Arrays {
  explicit Arrays(const Case& c)
      : x(c.dtype, pixels(c) * c.in_channels, c.misaligned),
        primary_weight(c.dtype, size_t(c.intrinsic) * c.in_channels, c.misaligned),
        primary_bias(Dtype::kFloat32, c.intrinsic, c.misaligned),
        cheap_weight(Dtype::kFloat32, size_t(c.cheap_size) * c.cheap_size * ghosts(c), c.misaligned),
        cheap_bias(Dtype::kFloat32, ghosts(c), c.misaligned),
        residual(c.dtype, pixels(c) * c.out_channels, c.misaligned),
        out(c.dtype, pixels(c) * c.out_channels, c.misaligned) {
    std::mt19937 random(static_cast<unsigned>(pixels(c) * 31 + c.in_channels * 7 + c.intrinsic));
    x.fill(random, 1);
    primary_weight.fill(random, std::sqrt(3.0 / c.in_channels));
    primary_bias.fill(random, 0.5);
    cheap_weight.fill(random, 1.0 / c.cheap_size);
    cheap_bias.fill(random, 0.5);
    residual.fill(random, 1);
  }

  static size_t pixels(const Case& c) { return size_t(c.batch) * c.height * c.width; }
  static int ghosts(const Case& c) { return c.intrinsic * (c.ratio - 1); }

  Array x, primary_weight, primary_bias, cheap_weight, cheap_bias, residual, out;
};

/** The module in float64, NHWC, as its definition says it. */
std::vector<double> reference(const Case& c, const Arrays& arrays) {
  const auto relu = [&](double value) { return c.relu && value < 0 ? 0 : value; };
  const size_t pixels = Arrays::pixels(c);
  const auto widened = [](const Array& array) {
    std::vector<double> values(array.elements());
    for (size_t i = 0; i < values.size(); ++i) values[i] = array.get(i);
    return values;
  };
  const std::vector<double> x = widened(arrays.x), weight = widened(arrays.primary_weight);
  std::vector<double> intrinsic(pixels * c.intrinsic);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    for (int map = 0; map < c.intrinsic; ++map) {
      double sum = arrays.primary_bias.get(map);
      for (int k = 0; k < c.in_channels; ++k) {
        sum += x[pixel * c.in_channels + k] * weight[size_t(map) * c.in_channels + k];
      }
      intrinsic[pixel * c.intrinsic + map] = relu(sum);
    }
  }
  const int ghosts = Arrays::ghosts(c), half = c.cheap_size / 2;
  std::vector<double> out(pixels * c.out_channels);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    const int y = static_cast<int>(pixel / c.width % c.height), x_at = static_cast<int>(pixel % c.width);
    for (int channel = 0; channel < c.out_channels; ++channel) {
      double value;
      if (channel < c.intrinsic) {
        value = intrinsic[pixel * c.intrinsic + channel];
      } else {
        const int ghost = channel - c.intrinsic, map = ghost / (c.ratio - 1);
        double sum = arrays.cheap_bias.get(ghost);
        for (int dy = -half; dy <= half; ++dy) {
          for (int dx = -half; dx <= half; ++dx) {
            if (y + dy < 0 || y + dy >= c.height || x_at + dx < 0 || x_at + dx >= c.width) continue;
            const int tap = (dy + half) * c.cheap_size + dx + half;
            sum += arrays.cheap_weight.get(size_t(tap) * ghosts + ghost) *
                   intrinsic[(pixel + dy * c.width + dx) * c.intrinsic + map];
          }
        }
        value = relu(sum);
      }
      const size_t at = pixel * c.out_channels + channel;
      out[at] = value + (c.residual ? arrays.residual.get(at) : 0);
    }
  }
  return out;
}

}  // namespace

double tolerance(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return 2e-6;
    case Dtype::kFloat16:
      return 1.5e-3;
    case Dtype::kBFloat16:
      return 1e-2;
  }
  return 0;
}

std::string Case::text() const {
  const char* const dtypes[] = {"float32", "float16", "bfloat16"};
  const char* const orders[] = {"forward", "reverse", "shuffled", "preempting"};
  std::string text = name.empty() ? "" : name + ": ";
  text += dtypes[static_cast<int>(dtype)];
  text += path == Path::kFused ? " fused " : " in two ";
  text += std::to_string(batch) + "x" + std::to_string(height) + "x" + std::to_string(width) + "x" +
          std::to_string(in_channels) + " -> " + std::to_string(intrinsic) + "*" + std::to_string(ratio) +
          " cut to " + std::to_string(out_channels) + ", cheap " + std::to_string(cheap_size);
  if (relu) text += ", relu";
  if (residual) text += ", residual";
  if (misaligned != 0) text += ", off by " + std::to_string(misaligned);
  return text + ", " + orders[static_cast<int>(order)];
}

Outcome run(const Case& c) {
  Arrays arrays(c);
  Machine& machine = cuda_on_cpu::machine();
  Checker& checker = machine.checker;
  machine.order = c.order;
  checker.reset();
  checker.add_array("x", arrays.x.data(), arrays.x.bytes(), Use::kInput);
  checker.add_array("primary_weight", arrays.primary_weight.data(), arrays.primary_weight.bytes(),
                    Use::kInput);
  checker.add_array("primary_bias", arrays.primary_bias.data(), arrays.primary_bias.bytes(), Use::kInput);
  checker.add_array("cheap_weight", arrays.cheap_weight.data(), arrays.cheap_weight.bytes(), Use::kInput);
  checker.add_array("cheap_bias", arrays.cheap_bias.data(), arrays.cheap_bias.bytes(), Use::kInput);
  if (c.residual) checker.add_array("residual", arrays.residual.data(), arrays.residual.bytes(), Use::kInput);
  checker.add_array("out", arrays.out.data(), arrays.out.bytes(), Use::kOutput);

  cuda::GhostModuleCall call;
  call.dtype = c.dtype;
  call.x = arrays.x.data();
  call.primary_weight = arrays.primary_weight.data();
  call.primary_bias = arrays.primary_bias.floats();
  call.cheap_weight = arrays.cheap_weight.floats();
  call.cheap_bias = arrays.cheap_bias.floats();
  call.residual = c.residual ? arrays.residual.data() : nullptr;
  call.out = arrays.out.data();
  call.batch = c.batch;
  call.height = c.height;
  call.width = c.width;
  call.in_channels = c.in_channels;
  call.intrinsic = c.intrinsic;
  call.ratio = c.ratio;
  call.cheap_size = c.cheap_size;
  call.out_channels = c.out_channels;
  call.relu = c.relu;
  const cuda::LaunchResult result =
      c.path == Path::kFused ? launch_ghost_module(call, nullptr) : launch_ghost_module_in_two(call, nullptr);

  Outcome outcome;
  outcome.launches = checker.launches();
  outcome.accesses = checker.accesses();
  if (result.status != cuda::Launch::kDone) outcome.faults.push_back("not launched");
  for (const auto& [kind, finding] : checker.findings()) {
    outcome.faults.push_back(kind + " (" + std::to_string(finding.count) + "x): " + finding.detail);
  }
  if (const size_t bytes = checker.unwritten(arrays.out.data())) {
    outcome.faults.push_back("output not written: " + std::to_string(bytes) + " bytes");
  }
  const std::vector<double> expected = reference(c, arrays);
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double found = arrays.out.get(i);
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::isnan(found) ? std::numeric_limits<double>::infinity()
                                   : std::max(difference, std::abs(found - expected[i]));
    if (std::isinf(difference)) break;
  }
  outcome.error = difference == 0 ? 0 : difference / largest;
  if (!(outcome.error <= tolerance(c.dtype))) {
    outcome.faults.push_back("differs from float64 by " + std::to_string(outcome.error) +
                             " of the largest value");
  }
  return outcome;
}

}  // namespace ghostnet::cuda_on_cpu
