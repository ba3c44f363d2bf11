#include "engine/cuda/launch_plan.h"

#include "engine/arena.h"

namespace ghostnet::cuda {

namespace {

struct Plane {
  int channels, height, width;

  int pixels() const { return height * width; }
  Plane strided(int channels_behind, int stride) const {
    return {channels_behind, (height - 1) / stride + 1, (width - 1) / stride + 1};
  }
};

}  // namespace

/**
 * Goes through the network. Without an arena it lays the buffers out, each alive from its first launch to its
 * last; with one it makes the launches.
 */
class LaunchPlan::Builder {
 public:
  Builder(const LaunchPlan& plan, std::byte* arena, const std::byte* input, std::byte* output)
      : plan_(plan), weights_(*plan.weights_), arena_(arena), input_(input), output_(output) {}

  Calls build() {
    const PlanKey& key = plan_.key_;
    Plane plane = Plane{3, static_cast<int>(key.height), static_cast<int>(key.width)};
    int x = stem(plane);
    for (const DeviceBottleneck& block : weights_.blocks) x = bottleneck(block, plane, x);
    const int last = pointwise(weights_.last, x, plane.pixels(), true);
    const int pooled = means(last, {weights_.last.out, plane.height, plane.width});
    const bool ends_early = key.output == Output::features;
    const int features = dense(weights_.head, pooled, Activation::relu, ends_early);
    if (!ends_early) dense(weights_.classifier, features, Activation::none, true);
    return std::move(calls_);
  }

  /** After build(): where the buffers lie. */
  size_t place(std::vector<size_t>& offsets) {
    const auto floats = static_cast<size_t>(layout_.place());
    for (int buffer = 0; buffer < buffers_; ++buffer) {
      offsets.push_back(static_cast<size_t>(layout_.offset(buffer)) * sizeof(float));
    }
    return floats * sizeof(float);
  }

 private:
  int64_t batch() const { return plan_.key_.batch; }
  NumberType dtype() const { return weights_.dtype(); }

  /** A buffer of so many numbers for each image. */
  int buffer(int64_t numbers, NumberType dtype) {
    if (arena_ == nullptr) layout_.add((batch() * numbers * size_of(dtype) + 3) / 4);
    return buffers_++;
  }
  int buffer(const Plane& plane) { return buffer(int64_t{1} * plane.channels * plane.pixels(), dtype()); }

  /** Its address, for the launch that comes next. */
  std::byte* at(int buffer) {
    if (arena_ == nullptr) {
      layout_.use(buffer, static_cast<int>(calls_.size()));
      return nullptr;
    }
    return arena_ + plan_.offsets_[static_cast<size_t>(buffer)];
  }
  float* floats_at(int buffer) { return reinterpret_cast<float*>(at(buffer)); }

  int stem(Plane& plane) {
    const PlanKey& key = plan_.key_;
    StemCall call;
    call.dtype = dtype();
    call.bytes = key.bytes;
    call.input = input_;
    call.weight = weights_.stem.weight;
    call.bias = weights_.stem.bias;
    for (size_t c = 0; c < 3; ++c) {
      call.scale[c] = key.scale[c];
      call.shift[c] = key.shift[c];
    }
    call.batch = batch();
    call.height = plane.height;
    call.width = plane.width;
    call.out_channels = weights_.stem.channels;
    plane = plane.strided(weights_.stem.channels, 2);
    const int out = buffer(plane);
    call.out = at(out);
    calls_.emplace_back(call);
    return out;
  }

  /** @param gate,residual buffers, or -1 */
  int ghost_module(const DeviceGhostModule& module, int x, const Plane& in, int gate, int residual) {
    GpuGhostCall call;
    call.dtype = dtype();
    call.primary_weight = module.primary.weight;
    call.primary_bias = module.primary.bias;
    call.cheap_weight = module.cheap.weight;
    call.cheap_bias = module.cheap.bias;
    call.batch = batch();
    call.height = in.height;
    call.width = in.width;
    call.in_channels = module.primary.in;
    call.intrinsic = module.primary.out;
    call.ratio = module.ratio;
    call.cheap_size = module.cheap.size;
    call.out_channels = module.out;
    call.relu = module.relu;
    const Plane plane = {module.out, in.height, in.width};
    const int out = buffer(plane);
    call.x = at(x);
    call.gate = gate < 0 ? nullptr : floats_at(gate);
    call.out = at(out);
    if (!runs_in_two(plan_.path_, call.dtype, call.batch, call.height, call.width, call.in_channels,
                     call.intrinsic)) {
      call.residual = residual < 0 ? nullptr : at(residual);
      calls_.emplace_back(call);
      return out;
    }
    calls_.emplace_back(GhostModuleInTwo{call});
    return residual < 0 ? out : addition(out, residual, plane);
  }

  int addition(int a, int b, const Plane& plane) {
    const int out = buffer(plane);
    AdditionCall call;
    call.dtype = dtype();
    call.a = at(a);
    call.b = at(b);
    call.out = at(out);
    call.count = batch() * plane.channels * plane.pixels();
    calls_.emplace_back(call);
    return out;
  }

  int depthwise(const DeviceTaps& weights, int x, const Plane& in, int stride) {
    const int out = buffer(in.strided(in.channels, stride));
    DepthwiseCall call;
    call.dtype = dtype();
    call.x = at(x);
    call.weight = weights.weight;
    call.bias = weights.bias;
    call.out = at(out);
    call.batch = batch();
    call.height = in.height;
    call.width = in.width;
    call.channels = in.channels;
    call.size = weights.size;
    call.stride = stride;
    calls_.emplace_back(call);
    return out;
  }

  int pointwise(const DeviceMatrix& weights, int x, int pixels, bool relu) {
    const int out = buffer(int64_t{1} * weights.out * pixels, dtype());
    PointwiseCall call;
    call.dtype = dtype();
    call.x = at(x);
    call.weight = weights.weight;
    call.bias = weights.bias;
    call.out = at(out);
    call.pixels = batch() * pixels;
    call.in_channels = weights.in;
    call.out_channels = weights.out;
    call.relu = relu;
    calls_.emplace_back(call);
    return out;
  }

  int means(int x, const Plane& plane) {
    const int out = buffer(plane.channels, NumberType::float32);
    MeansCall call;
    call.dtype = dtype();
    call.x = at(x);
    call.out = floats_at(out);
    call.batch = batch();
    call.pixels = plane.pixels();
    call.channels = plane.channels;
    calls_.emplace_back(call);
    return out;
  }

  /** @param is_result writes to the output; gives no buffer then */
  int dense(const DeviceMatrix& weights, int x, Activation activation, bool is_result = false) {
    const int out = is_result ? -1 : buffer(weights.out, NumberType::float32);
    DenseCall call;
    call.dtype = dtype();
    call.x = floats_at(x);
    call.weight = weights.weight;
    call.bias = weights.bias;
    call.out = is_result ? reinterpret_cast<float*>(output_) : floats_at(out);
    call.rows = batch();
    call.depth = weights.in;
    call.columns = weights.out;
    call.activation = activation;
    calls_.emplace_back(call);
    return out;
  }

  int bottleneck(const DeviceBottleneck& block, Plane& plane, int x) {
    const Plane in = plane;
    int y = ghost_module(block.ghost1, x, in, -1, -1);
    Plane hidden = {block.ghost1.out, in.height, in.width};
    if (block.strided) {
      y = depthwise(*block.strided, y, hidden, block.stride);
      hidden = hidden.strided(hidden.channels, block.stride);
    }
    int gate = -1;
    if (block.squeeze_excite) {
      const int squeezed = dense(block.squeeze_excite->reduce, means(y, hidden), Activation::relu);
      gate = dense(block.squeeze_excite->expand, squeezed, Activation::hard_sigmoid);
    }
    int residual = x;
    if (block.shortcut) {
      const int spatial = depthwise(block.shortcut->spatial, x, in, block.stride);
      residual = pointwise(block.shortcut->pointwise, spatial, hidden.pixels(), false);
    }
    plane = {block.ghost2.out, hidden.height, hidden.width};
    return ghost_module(block.ghost2, y, hidden, gate, residual);
  }

  const LaunchPlan& plan_;
  const DeviceWeights& weights_;
  std::byte* arena_;
  const std::byte* input_;
  std::byte* output_;
  Calls calls_;
  ArenaLayout layout_;
  int buffers_ = 0;
};

LaunchPlan::LaunchPlan(const DeviceWeights& weights, const PlanKey& key, GhostPath path)
    : weights_(&weights), key_(key), path_(path) {
  Builder builder(*this, nullptr, nullptr, nullptr);
  builder.build();
  arena_bytes_ = builder.place(offsets_);
}

size_t LaunchPlan::input_bytes() const {
  return static_cast<size_t>(key_.batch * key_.height * key_.width * 3) * (key_.bytes ? 1 : sizeof(float));
}

size_t LaunchPlan::output_bytes() const {
  const DeviceMatrix& end = key_.output == Output::features ? weights_->head : weights_->classifier;
  return static_cast<size_t>(key_.batch * end.out) * sizeof(float);
}

Calls LaunchPlan::calls(std::byte* arena, const std::byte* input, std::byte* output) const {
  return Builder(*this, arena, input, output).build();
}

}  // namespace ghostnet::cuda
