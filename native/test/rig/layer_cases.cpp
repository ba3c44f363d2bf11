#include "layer_cases.h"

#include <cmath>
#include <random>

#include "kernels/cuda/call.h"
#include "machine.h"

namespace ghostnet::cuda_on_cpu {

namespace {

constexpr Order kOrders[] = {Order::forward, Order::reverse, Order::shuffled, Order::preempting};

/** The common part of the cases. */
struct Setting {
  Precision dtype;
  int misaligned = 0;  ///< elements by which every array lies behind a 16-byte boundary
  Order order = Order::forward;
};

/** Creates the arrays of a run and registers them with the checker. */
class Bench {
 public:
  Bench(const Setting& setting, unsigned seed) : misaligned_(setting.misaligned), random_(seed) {
    machine().order = setting.order;
    machine().checker.reset();
  }

  Array input(const char* name, Precision dtype, size_t count, double scale) {
    Array array(dtype, count, misaligned_);
    array.fill(random_, scale);
    machine().checker.add_array(name, array.data(), array.bytes(), Use::input);
    return array;
  }
  Array bytes(const char* name, size_t count) {
    Array array(Precision::float16, (count + 1) / 2, 0);
    for (size_t i = 0; i < count; ++i)
      static_cast<uint8_t*>(array.data())[i] = static_cast<uint8_t>(random_());
    machine().checker.add_array(name, array.data(), count, Use::input);
    return array;
  }
  Array output(Precision dtype, size_t count) {
    Array array(dtype, count, misaligned_);
    machine().checker.add_array("out", array.data(), array.bytes(), Use::output);
    return array;
  }

 private:
  int misaligned_;
  std::mt19937 random_;
};

double relu(double value) { return value < 0 ? 0 : value; }

struct StemShape {
  int batch, height, width, out_channels;
  bool bytes;
};

Outcome run_stem(const Setting& setting, const StemShape& s) {
  const size_t in = size_t(s.batch) * s.height * s.width * 3;
  const int out_height = (s.height + 1) / 2, out_width = (s.width + 1) / 2;
  Bench bench(setting, s.height * 31u + s.width);
  Array input = s.bytes ? bench.bytes("input", in) : bench.input("input", Precision::float32, in, 2);
  Array weight = bench.input("weight", Precision::float32, size_t(27) * s.out_channels, 0.4);
  Array bias = bench.input("bias", Precision::float32, s.out_channels, 0.5);
  Array out = bench.output(setting.dtype, size_t(s.batch) * out_height * out_width * s.out_channels);
  cuda::StemCall call;
  call.dtype = setting.dtype;
  call.bytes = s.bytes;
  call.input = input.data();
  call.weight = weight.floats();
  call.bias = bias.floats();
  for (int c = 0; c < 3; ++c) {
    call.scale[c] = 0.0171f + 0.0004f * static_cast<float>(c);
    call.shift[c] = -2.1f + 0.1f * static_cast<float>(c);
  }
  call.out = out.data();
  call.batch = s.batch;
  call.height = s.height;
  call.width = s.width;
  call.out_channels = s.out_channels;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);

  const auto value_at = [&](int image, int y, int x, int c) -> double {
    if (y < 0 || y >= s.height || x < 0 || x >= s.width) return 0;
    if (!s.bytes) return input.get(((size_t(image) * 3 + c) * s.height + y) * s.width + x);
    const size_t at = ((size_t(image) * s.height + y) * s.width + x) * 3 + c;
    return double{call.scale[c]} * static_cast<const uint8_t*>(input.data())[at] + call.shift[c];
  };
  std::vector<double> expected;
  for (int image = 0; image < s.batch; ++image) {
    for (int pixel = 0; pixel < out_height * out_width; ++pixel) {
      for (int k = 0; k < s.out_channels; ++k) {
        double sum = bias.get(k);
        for (int i = 0; i < 27; ++i) {
          const int y = pixel / out_width * 2 + i / 9 - 1, x = pixel % out_width * 2 + i / 3 % 3 - 1;
          sum += weight.get(size_t(i) * s.out_channels + k) * value_at(image, y, x, i % 3);
        }
        expected.push_back(relu(sum));
      }
    }
  }
  return judge(result, out, expected, tolerance(setting.dtype));
}

struct DepthwiseShape {
  int batch, height, width, channels, size, stride;
  bool relu;
  int kernel_width = 0;  ///< `size` if 0

  int columns() const { return kernel_width == 0 ? size : kernel_width; }
};

Outcome run_depthwise(const Setting& setting, const DepthwiseShape& s) {
  const int out_height = (s.height - 1) / s.stride + 1, out_width = (s.width - 1) / s.stride + 1;
  Bench bench(setting, s.height * 31u + s.channels);
  Array x = bench.input("x", setting.dtype, size_t(s.batch) * s.height * s.width * s.channels, 1);
  Array weight =
      bench.input("weight", Precision::float32, size_t(s.size) * s.columns() * s.channels, 1.0 / s.size);
  Array bias = bench.input("bias", Precision::float32, s.channels, 0.5);
  Array out = bench.output(setting.dtype, size_t(s.batch) * out_height * out_width * s.channels);
  cuda::DepthwiseCall call;
  call.dtype = setting.dtype;
  call.x = x.data();
  call.weight = weight.floats();
  call.bias = bias.floats();
  call.out = out.data();
  call.batch = s.batch;
  call.height = s.height;
  call.width = s.width;
  call.channels = s.channels;
  call.kernel_height = s.size;
  call.kernel_width = s.columns();
  call.stride = s.stride;
  call.relu = s.relu;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);

  std::vector<double> expected;
  for (int image = 0; image < s.batch; ++image) {
    for (int pixel = 0; pixel < out_height * out_width; ++pixel) {
      for (int c = 0; c < s.channels; ++c) {
        double sum = bias.get(c);
        for (int tap = 0; tap < s.size * s.columns(); ++tap) {
          const int row = pixel / out_width * s.stride + tap / s.columns() - s.size / 2;
          const int column = pixel % out_width * s.stride + tap % s.columns() - s.columns() / 2;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
          const size_t at = ((size_t(image) * s.height + row) * s.width + column) * s.channels + c;
          sum += weight.get(size_t(tap) * s.channels + c) * x.get(at);
        }
        expected.push_back(s.relu ? relu(sum) : sum);
      }
    }
  }
  return judge(result, out, expected, tolerance(setting.dtype));
}

struct ProductShape {
  int rows, depth, columns;
  Activation activation;
};

/** @param dtype of what is multiplied */
std::vector<double> product(Precision dtype, const Array& x, const Array& weight, const Array& bias,
                            const ProductShape& s) {
  std::vector<double> expected;
  for (int row = 0; row < s.rows; ++row) {
    for (int column = 0; column < s.columns; ++column) {
      double sum = bias.get(column);
      for (int k = 0; k < s.depth; ++k) {
        sum += operand(dtype, x.get(size_t(row) * s.depth + k)) *
               operand(dtype, weight.get(size_t(column) * s.depth + k));
      }
      if (s.activation == Activation::relu) sum = relu(sum);
      if (s.activation == Activation::clamp) sum = std::fmin(relu(sum), 1);
      if (s.activation == Activation::hard_sigmoid) sum = std::fmin(relu(sum + 3), 6) / 6;
      expected.push_back(sum);
    }
  }
  return expected;
}

Outcome run_pointwise(const Setting& setting, const ProductShape& s) {
  Bench bench(setting, s.rows * 31u + s.depth);
  const Precision dtype = setting.dtype;
  Array x = bench.input("x", dtype, size_t(s.rows) * s.depth, 1);
  Array weight = bench.input("weight", dtype, size_t(s.columns) * s.depth, std::sqrt(3.0 / s.depth));
  Array bias = bench.input("bias", Precision::float32, s.columns, 0.5);
  Array out = bench.output(dtype, size_t(s.rows) * s.columns);
  cuda::PointwiseCall call;
  call.dtype = dtype;
  call.x = x.data();
  call.weight = weight.data();
  call.bias = bias.floats();
  call.out = out.data();
  call.pixels = s.rows;
  call.in_channels = s.depth;
  call.out_channels = s.columns;
  call.relu = s.activation == Activation::relu;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  return judge(result, out, product(dtype, x, weight, bias, s), tolerance(dtype));
}

Outcome run_dense(const Setting& setting, const ProductShape& s) {
  Bench bench(setting, s.rows * 31u + s.depth);
  // Gates of all kinds: 0, 1 and values between.
  const double scale = s.activation == Activation::hard_sigmoid ? 4 : 1;
  Array x = bench.input("x", Precision::float32, size_t(s.rows) * s.depth, scale);
  Array weight = bench.input("weight", setting.dtype, size_t(s.columns) * s.depth, std::sqrt(12.0 / s.depth));
  Array bias = bench.input("bias", Precision::float32, s.columns, 0.5);
  Array out = bench.output(Precision::float32, size_t(s.rows) * s.columns);
  cuda::DenseCall call;
  call.dtype = setting.dtype;
  call.x = x.floats();
  call.weight = weight.data();
  call.bias = bias.floats();
  call.out = out.floats();
  call.rows = s.rows;
  call.depth = s.depth;
  call.columns = s.columns;
  call.activation = s.activation;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  return judge(result, out, product(Precision::float32, x, weight, bias, s), tolerance(Precision::float32));
}

struct MeansShape {
  int batch, pixels, channels;
};

Outcome run_means(const Setting& setting, const MeansShape& s) {
  Bench bench(setting, s.pixels * 31u + s.channels);
  Array x = bench.input("x", setting.dtype, size_t(s.batch) * s.pixels * s.channels, 1);
  Array out = bench.output(Precision::float32, size_t(s.batch) * s.channels);
  cuda::MeansCall call;
  call.dtype = setting.dtype;
  call.x = x.data();
  call.out = out.floats();
  call.batch = s.batch;
  call.pixels = s.pixels;
  call.channels = s.channels;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  std::vector<double> expected;
  for (int i = 0; i < s.batch * s.channels; ++i) {
    double sum = 0;
    for (int pixel = 0; pixel < s.pixels; ++pixel) {
      sum += x.get((size_t(i / s.channels) * s.pixels + pixel) * s.channels + i % s.channels);
    }
    expected.push_back(sum / s.pixels);
  }
  return judge(result, out, expected, tolerance(Precision::float32));
}

Outcome run_addition(const Setting& setting, int count) {
  Bench bench(setting, count);
  Array a = bench.input("a", setting.dtype, count, 1), b = bench.input("b", setting.dtype, count, 1);
  Array out = bench.output(setting.dtype, count);
  cuda::AdditionCall call;
  call.dtype = setting.dtype;
  call.a = a.data();
  call.b = b.data();
  call.out = out.data();
  call.count = count;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  std::vector<double> expected;
  for (int i = 0; i < count; ++i) expected.push_back(a.get(i) + b.get(i));
  return judge(result, out, expected, tolerance(setting.dtype));
}

struct HalveShape {
  int batch, height, width, channels;
};

Outcome run_halve(const Setting& setting, const HalveShape& s) {
  Bench bench(setting, s.height * 31u + s.channels);
  const int out_height = s.height / 2, out_width = s.width / 2;
  Array x = bench.input("x", setting.dtype, size_t(s.batch) * s.height * s.width * s.channels, 1);
  Array out = bench.output(setting.dtype, size_t(s.batch) * out_height * out_width * s.channels);
  cuda::HalveCall call;
  call.dtype = setting.dtype;
  call.x = x.data();
  call.out = out.data();
  call.batch = s.batch;
  call.height = s.height;
  call.width = s.width;
  call.channels = s.channels;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  std::vector<double> expected;
  for (int image = 0; image < s.batch; ++image) {
    for (int pixel = 0; pixel < out_height * out_width; ++pixel) {
      for (int c = 0; c < s.channels; ++c) {
        double sum = 0;
        for (int i = 0; i < 4; ++i) {
          const int y = pixel / out_width * 2 + i / 2, column = pixel % out_width * 2 + i % 2;
          sum += x.get(((size_t(image) * s.height + y) * s.width + column) * s.channels + c);
        }
        expected.push_back(sum / 4);
      }
    }
  }
  return judge(result, out, expected, tolerance(setting.dtype));
}

struct AttentionShape {
  int batch, height, width, gate_height, gate_width, channels;
};

Outcome run_attention(const Setting& setting, const AttentionShape& s) {
  Bench bench(setting, s.height * 31u + s.channels);
  const size_t count = size_t(s.batch) * s.height * s.width * s.channels;
  Array x = bench.input("x", setting.dtype, count, 1);
  Array gate =
      bench.input("gate", setting.dtype, size_t(s.batch) * s.gate_height * s.gate_width * s.channels, 6);
  Array out = bench.output(setting.dtype, count);
  cuda::AttentionCall call;
  call.dtype = setting.dtype;
  call.x = x.data();
  call.gate = gate.data();
  call.out = out.data();
  call.batch = s.batch;
  call.height = s.height;
  call.width = s.width;
  call.gate_height = s.gate_height;
  call.gate_width = s.gate_width;
  call.channels = s.channels;
  const cuda::LaunchResult result = cuda::launch(call, nullptr);
  std::vector<double> expected;
  for (size_t i = 0; i < count; ++i) {
    const size_t pixel = i / s.channels, image = pixel / (size_t(s.height) * s.width);
    const size_t y = pixel / s.width % s.height * s.gate_height / s.height;
    const size_t column = pixel % s.width * s.gate_width / s.width;
    const size_t near = (image * s.gate_height + y) * s.gate_width + column;
    expected.push_back(x.get(i) / (1 + std::exp(-gate.get(near * s.channels + i % s.channels))));
  }
  return judge(result, out, expected, tolerance(setting.dtype));
}

/** Collects cases, each with its shape in words. */
class Collection {
 public:
  explicit Collection(const Setting& setting) : setting_(setting) {}

  Setting& setting() { return setting_; }
  void add(const StemShape& s) {
    add(s.bytes ? "stem of bytes" : "stem of floats", {s.batch, s.height, s.width, s.out_channels},
        [s](const Setting& setting) { return run_stem(setting, s); });
  }
  void add(const DepthwiseShape& s) {
    add(s.relu ? "depthwise with ReLU" : "depthwise",
        {s.batch, s.height, s.width, s.channels, s.size, s.columns(), s.stride},
        [s](const Setting& setting) { return run_depthwise(setting, s); });
  }
  void add_pointwise(const ProductShape& s) {
    add("pointwise", {s.rows, s.depth, s.columns},
        [s](const Setting& setting) { return run_pointwise(setting, s); });
  }
  void add_dense(const ProductShape& s) {
    add("dense", {s.rows, s.depth, s.columns, static_cast<int>(s.activation)},
        [s](const Setting& setting) { return run_dense(setting, s); });
  }
  void add(const MeansShape& s) {
    add("means", {s.batch, s.pixels, s.channels},
        [s](const Setting& setting) { return run_means(setting, s); });
  }
  void add(const HalveShape& s) {
    add("halve", {s.batch, s.height, s.width, s.channels},
        [s](const Setting& setting) { return run_halve(setting, s); });
  }
  void add(const AttentionShape& s) {
    add("attention", {s.batch, s.height, s.width, s.gate_height, s.gate_width, s.channels},
        [s](const Setting& setting) { return run_attention(setting, s); });
  }
  void add_addition(int count) {
    add("addition", {count}, [count](const Setting& setting) { return run_addition(setting, count); });
  }

  std::vector<LayerCase> take() { return std::move(cases_); }

 private:
  void add(const std::string& what, std::initializer_list<int> numbers,
           std::function<Outcome(const Setting&)> run) {
    std::string text = std::string(name_of(setting_.dtype)) + " " + what;
    for (const int number : numbers) text += " " + std::to_string(number);
    if (setting_.misaligned != 0) text += ", off by " + std::to_string(setting_.misaligned);
    cases_.push_back({text, [setting = setting_, run = std::move(run)] { return run(setting); }});
  }

  Setting setting_;
  std::vector<LayerCase> cases_;
};

}  // namespace

std::vector<LayerCase> layer_edge_cases(Precision dtype) {
  Collection all({dtype});
  for (const Order order : kOrders) {
    all.setting() = {dtype, 0, order};
    all.add(MeansShape{1, 1, 1});    // nothing smaller
    all.add(MeansShape{2, 49, 72});  // a channel tile and a piece
    all.add(MeansShape{3, 17, 36});  // one pixel more than rows
    all.add_dense({1, 1, 1, Activation::none});
    all.add_dense({9, 40, 21, Activation::relu});           // one row and one column too many
    all.add_dense({3, 264, 16, Activation::hard_sigmoid});  // one vector more than lanes
  }
  all.setting() = {dtype};
  for (const bool bytes : {true, false}) {
    all.add(StemShape{1, 1, 1, 1, bytes});
    all.add(StemShape{2, 32, 32, 16, bytes});
    all.add(
        StemShape{1, 33, 19, 20, bytes});  // odd: the last row and column have nothing below and to the right
    all.add(StemShape{1, 6, 10, 7, bytes});  // channels one at a time
  }
  all.add(DepthwiseShape{1, 1, 1, 1, 1, 1, false});
  all.add(DepthwiseShape{2, 14, 14, 48, 3, 2, false});
  all.add(DepthwiseShape{1, 15, 9, 40, 5, 2, false});  // odd
  all.add(DepthwiseShape{1, 7, 13, 36, 5, 1, true});   // 8-byte accesses of 16-bit numbers
  all.add(DepthwiseShape{1, 8, 8, 9, 3, 2, true});     // channels one at a time
  all.add(DepthwiseShape{1, 3, 4, 8, 9, 2, false});    // a kernel larger than the plane
  all.add(DepthwiseShape{1, 5, 5, 10, 7, 1, false});
  all.add(DepthwiseShape{1, 5, 5, 4, 31, 1, false});     // the largest kernel
  all.add(DepthwiseShape{2, 7, 9, 24, 1, 1, false, 5});  // along the rows
  all.add(DepthwiseShape{2, 9, 7, 24, 5, 1, false, 1});  // along the columns
  all.add(DepthwiseShape{1, 1, 3, 7, 1, 1, false, 5});
  all.add(HalveShape{1, 2, 2, 1});
  all.add(HalveShape{2, 14, 14, 24});
  all.add(HalveShape{2, 7, 9, 20});  // odd: the last row and column are left out
  all.add(HalveShape{1, 3, 2, 9});   // channels one at a time
  all.add(AttentionShape{1, 1, 1, 1, 1, 1});
  all.add(AttentionShape{2, 14, 14, 7, 7, 24});
  all.add(AttentionShape{2, 7, 9, 3, 4, 20});  // odd: the first or last pixel stands for three
  all.add(AttentionShape{1, 5, 3, 2, 1, 9});
  all.add_dense({5, 40, 21, Activation::clamp});
  all.add_pointwise({300, 24, 40, Activation::none});  // two tiles of pixels
  all.add_pointwise({10, 160, 130, Activation::relu});
  all.add_pointwise({49, 3, 5, Activation::none});
  all.add_dense({17, 960, 70, Activation::relu});
  all.add_dense({2, 13, 6, Activation::hard_sigmoid});
  all.add(MeansShape{1, 196, 130});
  all.add(MeansShape{2, 5, 3});
  for (const int count : {1, 7, 8, 4096, 4099}) all.add_addition(count);
  for (const int misaligned : {1, 3}) {
    all.setting().misaligned = misaligned;
    all.add(StemShape{1, 8, 8, 16, false});
    all.add(DepthwiseShape{1, 6, 6, 16, 3, 2, false});
    all.add_pointwise({20, 16, 24, Activation::relu});
    all.add_dense({4, 32, 8, Activation::none});
    all.add(MeansShape{1, 9, 16});
    all.add_addition(100);
    all.add(HalveShape{1, 5, 4, 16});
    all.add(AttentionShape{1, 5, 4, 2, 2, 16});
  }
  return all.take();
}

std::vector<LayerCase> random_layer_cases(Precision dtype, int count) {
  std::mt19937 random(40 + static_cast<unsigned>(dtype));
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  const auto channels = [&] { return between(1, 20) * 4 + (random() % 4 == 0 ? between(0, 3) : 0); };
  Collection all({dtype});
  for (int i = 0; i < count; ++i) {
    all.setting() = {dtype, random() % 8 == 0 ? between(1, 7) : 0, kOrders[random() % 4]};
    const auto activation = static_cast<Activation>(random() % 3);
    switch (i % 8) {
      case 0:
        all.add(StemShape{between(1, 3), between(1, 40), between(1, 40), between(1, 24), random() % 2 == 0});
        break;
      case 1:
        all.add(DepthwiseShape{between(1, 3), between(1, 20), between(1, 20), channels(),
                               between(0, 3) * 2 + 1, between(1, 2), random() % 2 == 0});
        break;
      case 2:
        all.add_pointwise({between(1, 400), channels(), channels(),
                           random() % 2 == 0 ? Activation::relu : Activation::none});
        break;
      case 3:
        all.add_dense({between(1, 20), channels() * 4, channels(), activation});
        break;
      case 4:
        all.add(MeansShape{between(1, 4), between(1, 200), channels()});
        break;
      case 5:
        all.add_addition(between(1, 5000));
        break;
      case 6:
        all.add(HalveShape{between(1, 3), between(2, 20), between(2, 20), channels()});
        break;
      case 7: {
        const int height = between(2, 20), width = between(2, 20);
        all.add(AttentionShape{between(1, 3), height, width, height / 2, width / 2, channels()});
        break;
      }
    }
  }
  return all.take();
}

}  // namespace ghostnet::cuda_on_cpu
