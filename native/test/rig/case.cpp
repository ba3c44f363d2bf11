#include "case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "array.h"
#include "outcome.h"

namespace ghostnet::cuda_on_cpu {

namespace {

struct Arrays {
  explicit Arrays(const Case& c)
      : x(c.dtype, pixels(c) * c.in_channels, c.misaligned),
        primary_weight(c.dtype, size_t(c.intrinsic) * c.in_channels, c.misaligned),
        primary_bias(Precision::float32, c.intrinsic, c.misaligned),
        cheap_weight(Precision::float32, size_t(c.cheap_size) * c.cheap_size * ghosts(c), c.misaligned),
        cheap_bias(Precision::float32, ghosts(c), c.misaligned),
        gate(Precision::float32, size_t(c.batch) * c.in_channels, 0),
        residual(c.dtype, pixels(c) * c.out_channels, c.misaligned),
        out(c.dtype, pixels(c) * c.out_channels, c.misaligned) {
    std::mt19937 random(static_cast<unsigned>(pixels(c) * 31 + c.in_channels * 7 + c.intrinsic));
    x.fill(random, 1);
    primary_weight.fill(random, std::sqrt(3.0 / c.in_channels));
    primary_bias.fill(random, 0.5);
    cheap_weight.fill(random, 1.0 / c.cheap_size);
    cheap_bias.fill(random, 0.5);
    gate.fill(random, 1);
    residual.fill(random, 1);
  }

  static size_t pixels(const Case& c) { return size_t(c.batch) * c.height * c.width; }
  static int ghosts(const Case& c) { return c.intrinsic * (c.ratio - 1); }

  Array x, primary_weight, primary_bias, cheap_weight, cheap_bias, gate, residual, out;
};

/** The output of the module for the sums of its primary convolution, in float64, NHWC. */
std::vector<double> from_sums(const Case& c, const Arrays& arrays, const std::vector<double>& sums) {
  const auto relu = [&](double value) { return c.relu && value < 0 ? 0 : value; };
  const size_t pixels = Arrays::pixels(c);
  std::vector<double> intrinsic(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    intrinsic[i] = relu(sums[i] + arrays.primary_bias.get(i % size_t(c.intrinsic)));
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

/** The module in float64, NHWC, following its definition. */
std::vector<double> reference(const Case& c, const Arrays& arrays) {
  const size_t pixels = Arrays::pixels(c);
  const auto widened = [](const Array& array) {
    std::vector<double> values(array.elements());
    for (size_t i = 0; i < values.size(); ++i) values[i] = array.get(i);
    return values;
  };
  std::vector<double> x = widened(arrays.x);
  if (c.path == Path::epilogue) return from_sums(c, arrays, x);
  if (c.gate) {
    const size_t image = size_t(c.height) * c.width * c.in_channels;
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = rounded(c.dtype, x[i] * arrays.gate.get(i / image * c.in_channels + i % c.in_channels));
    }
  }
  std::vector<double> weight = widened(arrays.primary_weight);
  for (std::vector<double>* factors : {&x, &weight}) {
    for (double& value : *factors) value = operand(c.dtype, value);
  }
  std::vector<double> sums(pixels * c.intrinsic);
  for (size_t pixel = 0; pixel < pixels; ++pixel) {
    for (int map = 0; map < c.intrinsic; ++map) {
      double& sum = sums[pixel * c.intrinsic + map];
      for (int k = 0; k < c.in_channels; ++k) {
        sum += x[pixel * c.in_channels + k] * weight[size_t(map) * c.in_channels + k];
      }
    }
  }
  return from_sums(c, arrays, sums);
}

cuda::Call call_of(Path path, const cuda::GpuGhostModule& module) {
  switch (path) {
    case Path::fused:
      return cuda::GpuGhostCall{module};
    case Path::two_kernels:
      return cuda::GhostModuleInTwo{module};
    case Path::epilogue:
      return cuda::GhostEpilogueCall{module};
  }
  return {};
}

}  // namespace

std::string Case::text() const {
  const char* const orders[] = {"forward", "reverse", "shuffled", "preempting"};
  std::string text = name.empty() ? "" : name + ": ";
  text += name_of(dtype);
  text += path == Path::fused ? " fused " : path == Path::two_kernels ? " in two " : " epilogue ";
  text += std::to_string(batch) + "x" + std::to_string(height) + "x" + std::to_string(width) + "x" +
          std::to_string(in_channels) + " -> " + std::to_string(intrinsic) + "*" + std::to_string(ratio) +
          " cut to " + std::to_string(out_channels) + ", cheap " + std::to_string(cheap_size);
  if (relu) text += ", relu";
  if (gate) text += ", gate";
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
  checker.add_array("x", arrays.x.data(), arrays.x.bytes(), Use::input);
  checker.add_array("primary_weight", arrays.primary_weight.data(), arrays.primary_weight.bytes(),
                    Use::input);
  checker.add_array("primary_bias", arrays.primary_bias.data(), arrays.primary_bias.bytes(), Use::input);
  checker.add_array("cheap_weight", arrays.cheap_weight.data(), arrays.cheap_weight.bytes(), Use::input);
  checker.add_array("cheap_bias", arrays.cheap_bias.data(), arrays.cheap_bias.bytes(), Use::input);
  if (c.gate) checker.add_array("gate", arrays.gate.data(), arrays.gate.bytes(), Use::input);
  if (c.residual) checker.add_array("residual", arrays.residual.data(), arrays.residual.bytes(), Use::input);
  checker.add_array("out", arrays.out.data(), arrays.out.bytes(), Use::output);

  cuda::GpuGhostModule module;
  module.dtype = c.dtype;
  module.x = arrays.x.data();
  module.primary_weight = arrays.primary_weight.data();
  module.primary_bias = arrays.primary_bias.floats();
  module.cheap_weight = arrays.cheap_weight.floats();
  module.cheap_bias = arrays.cheap_bias.floats();
  module.gate = c.gate ? arrays.gate.floats() : nullptr;
  module.residual = c.residual ? arrays.residual.data() : nullptr;
  module.out = arrays.out.data();
  module.batch = c.batch;
  module.height = c.height;
  module.width = c.width;
  module.in_channels = c.in_channels;
  module.intrinsic = c.intrinsic;
  module.ratio = c.ratio;
  module.cheap_size = c.cheap_size;
  module.out_channels = c.out_channels;
  module.relu = c.relu;
  const cuda::LaunchResult result = cuda::launch(call_of(c.path, module), nullptr);

  return judge(result, arrays.out, reference(c, arrays), tolerance(c.dtype));
}

}  // namespace ghostnet::cuda_on_cpu
