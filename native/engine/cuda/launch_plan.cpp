#include "engine/cuda/launch_plan.h"

#include "engine/arena.h"

namespace ghostnet::cuda {

namespace {

int int_of(int64_t value) { return static_cast<int>(value); }

}  // namespace

/**
 * Visits the operations of the network. Without an arena it lays out the buffers, each alive from its first
 * launch to its last; with an arena it creates the launches.
 */
class LaunchPlan::Builder {
 public:
  Builder(const LaunchPlan& plan, std::byte* arena, const std::byte* input, std::byte* output)
      : plan_(plan), weights_(*plan.weights_), arena_(arena), input_(input), output_(output) {}

  Calls build() {
    for (const Operation& operation : plan_.operations_) {
      results_.push_back(launch(operation));
      if (ends(operation)) break;
    }
    return std::move(calls_);
  }

  /** After build(): the offsets of the buffers. */
  size_t place(std::vector<size_t>& offsets) {
    const auto floats = static_cast<size_t>(layout_.place());
    for (int buffer = 0; buffer < buffers_; ++buffer) {
      offsets.push_back(static_cast<size_t>(layout_.offset(buffer)) * sizeof(float));
    }
    return floats * sizeof(float);
  }

 private:
  const Node& node_of(const Operation& operation) const { return plan_.graph_.nodes[operation.node]; }
  const DeviceConvolution& weights_of(const Operation& operation, size_t index = 0) const {
    return weights_.nodes()[operation.node][index];
  }
  /** The input plane of an operation. */
  const Plane& input_of(const Operation& operation) const {
    return node_of(plan_.operations_[*operation.input]).output;
  }
  int result_of(std::optional<size_t> operation) const { return results_[*operation]; }

  int64_t batch() const { return plan_.key_.input.batch; }
  Precision dtype() const { return weights_.dtype(); }

  /** Whether an operation computes the requested output. */
  bool ends(const Operation& operation) const {
    const size_t last =
        plan_.key_.output == Output::features ? plan_.graph_.features : plan_.graph_.nodes.size() - 1;
    return operation.node == last;
  }

  /** @return the buffer of its result */
  int launch(const Operation& operation) {
    const Node& node = node_of(operation);
    switch (node.kind) {
      case NodeKind::stem:
        return stem(operation);
      case NodeKind::ghost_module:
        return ghost_module(operation);
      case NodeKind::depthwise:
        return depthwise(operation);
      case NodeKind::pointwise:
        return pointwise(operation);
      case NodeKind::mean:
        return means(operation);
      case NodeKind::dense:
        return dense(operation);
      case NodeKind::halve:
        return halve(operation);
      case NodeKind::separable:
        break;
      case NodeKind::attend:
      case NodeKind::scale:
      case NodeKind::add:
        break;  // no operations
    }
    refuse_node(node, "GPU engine");
  }

  /** A buffer of so many numbers for each image. */
  int buffer(int64_t numbers, Precision dtype) {
    if (arena_ == nullptr) layout_.add((batch() * numbers * size_of(dtype) + 3) / 4);
    return buffers_++;
  }
  int buffer(const Plane& plane) { return buffer(plane.count(), dtype()); }

  /** The address of a buffer, for the next launch. */
  std::byte* at(int buffer) {
    if (arena_ == nullptr) {
      layout_.use(buffer, static_cast<int>(calls_.size()));
      return nullptr;
    }
    return arena_ + plan_.offsets_[static_cast<size_t>(buffer)];
  }
  float* floats_at(int buffer) { return reinterpret_cast<float*>(at(buffer)); }

  int stem(const Operation& operation) {
    const LaunchKey& key = plan_.key_;
    const DeviceConvolution& weights = weights_of(operation);
    if (!node_of(operation).convolutions[0].relu()) refuse_node(node_of(operation), "GPU engine");
    StemCall call;
    call.dtype = dtype();
    call.bytes = key.input.dtype == DType::uint8;
    call.input = input_;
    call.weight = weights.taps();
    call.bias = weights.bias;
    for (size_t c = 0; call.bytes && c < 3; ++c) {
      call.scale[c] = key.normalisation.scale[c];
      call.shift[c] = key.normalisation.shift[c];
    }
    call.batch = batch();
    call.height = int_of(key.input.height);
    call.width = int_of(key.input.width);
    call.out_channels = weights.out;
    const int out = buffer(node_of(operation).output);
    call.out = at(out);
    calls_.emplace_back(call);
    return out;
  }

  int ghost_module(const Operation& operation) {
    const Node& node = node_of(operation);
    const DeviceConvolution& primary = weights_of(operation, 0);
    const DeviceConvolution& cheap = weights_of(operation, 1);
    GpuGhostCall call;
    call.dtype = dtype();
    call.primary_weight = primary.weight;
    call.primary_bias = primary.bias;
    call.cheap_weight = cheap.taps();
    call.cheap_bias = cheap.bias;
    call.batch = batch();
    call.height = int_of(node.output.height);
    call.width = int_of(node.output.width);
    call.in_channels = primary.in;
    call.intrinsic = primary.out;
    call.ratio = cheap.out / primary.out + 1;
    call.cheap_size = cheap.kernel_height;
    call.out_channels = int_of(node.output.channels);
    call.relu = node.convolutions[0].relu();
    const int out = buffer(node.output);
    call.x = at(result_of(operation.input));
    call.gate = operation.gate ? floats_at(result_of(operation.gate)) : nullptr;
    call.out = at(out);
    if (!runs_in_two(plan_.path_, call.dtype, call.batch, call.height, call.width, call.in_channels,
                     call.intrinsic)) {
      call.residual = operation.residual ? at(result_of(operation.residual)) : nullptr;
      calls_.emplace_back(call);
      return operation.attention ? attention(out, operation) : out;
    }
    calls_.emplace_back(GhostModuleInTwo{call});
    if (operation.attention) return attention(out, operation);
    return operation.residual ? addition(out, result_of(operation.residual), node.output) : out;
  }

  /** The output of a ghost module, times its attention. No module has a residual, too. */
  int attention(int x, const Operation& operation) {
    const Plane& plane = node_of(operation).output;
    const Plane& gate = node_of(plan_.operations_[*operation.attention]).output;
    const int out = buffer(plane);
    AttentionCall call;
    call.dtype = dtype();
    call.x = at(x);
    call.gate = at(result_of(operation.attention));
    call.out = at(out);
    call.batch = batch();
    call.height = int_of(plane.height);
    call.width = int_of(plane.width);
    call.gate_height = int_of(gate.height);
    call.gate_width = int_of(gate.width);
    call.channels = int_of(plane.channels);
    calls_.emplace_back(call);
    return out;
  }

  int halve(const Operation& operation) {
    const Plane& in = input_of(operation);
    const int out = buffer(node_of(operation).output);
    HalveCall call;
    call.dtype = dtype();
    call.x = at(result_of(operation.input));
    call.out = at(out);
    call.batch = batch();
    call.height = int_of(in.height);
    call.width = int_of(in.width);
    call.channels = int_of(in.channels);
    calls_.emplace_back(call);
    return out;
  }

  int addition(int a, int b, const Plane& plane) {
    const int out = buffer(plane);
    AdditionCall call;
    call.dtype = dtype();
    call.a = at(a);
    call.b = at(b);
    call.out = at(out);
    call.count = batch() * plane.count();
    calls_.emplace_back(call);
    return out;
  }

  /** The sigmoid at the end of an attention is part of attention(). */
  int depthwise(const Operation& operation) {
    const DeviceConvolution& weights = weights_of(operation);
    const Plane& in = input_of(operation);
    const int out = buffer(node_of(operation).output);
    DepthwiseCall call;
    call.dtype = dtype();
    call.x = at(result_of(operation.input));
    call.weight = weights.taps();
    call.bias = weights.bias;
    call.out = at(out);
    call.batch = batch();
    call.height = int_of(in.height);
    call.width = int_of(in.width);
    call.channels = weights.out;
    call.kernel_height = weights.kernel_height;
    call.kernel_width = weights.kernel_width;
    call.stride = int_of(node_of(operation).convolutions[0].stride);
    call.relu = node_of(operation).convolutions[0].relu();
    calls_.emplace_back(call);
    return out;
  }

  int pointwise(const Operation& operation) {
    const DeviceConvolution& weights = weights_of(operation);
    const Node& node = node_of(operation);
    const int out = buffer(node.output);
    PointwiseCall call;
    call.dtype = dtype();
    call.x = at(result_of(operation.input));
    call.weight = weights.weight;
    call.bias = weights.bias;
    call.out = at(out);
    call.pixels = batch() * node.output.pixels();
    call.in_channels = weights.in;
    call.out_channels = weights.out;
    call.relu = node.convolutions[0].relu();
    calls_.emplace_back(call);
    return out;
  }

  int means(const Operation& operation) {
    const Plane& plane = input_of(operation);
    const int out = buffer(plane.channels, Precision::float32);
    MeansCall call;
    call.dtype = dtype();
    call.x = at(result_of(operation.input));
    call.out = floats_at(out);
    call.batch = batch();
    call.pixels = int_of(plane.pixels());
    call.channels = int_of(plane.channels);
    calls_.emplace_back(call);
    return out;
  }

  /** The last operation writes to the output and has no buffer. */
  int dense(const Operation& operation) {
    const DeviceConvolution& weights = weights_of(operation);
    const bool is_result = ends(operation);
    const int out = is_result ? -1 : buffer(weights.out, Precision::float32);
    DenseCall call;
    call.dtype = dtype();
    call.x = floats_at(result_of(operation.input));
    call.weight = weights.weight;
    call.bias = weights.bias;
    call.out = is_result ? reinterpret_cast<float*>(output_) : floats_at(out);
    call.rows = batch();
    call.depth = weights.in;
    call.columns = weights.out;
    call.activation = node_of(operation).convolutions[0].activation;
    calls_.emplace_back(call);
    return out;
  }

  const LaunchPlan& plan_;
  const DeviceWeights& weights_;
  std::byte* arena_;
  const std::byte* input_;
  std::byte* output_;
  Calls calls_;
  std::vector<int> results_;  ///< the buffer of the result of each operation
  ArenaLayout layout_;
  int buffers_ = 0;
};

LaunchPlan::LaunchPlan(const DeviceWeights& weights, const LaunchKey& key, GhostPath path)
    : weights_(&weights),
      key_(key),
      graph_(make_graph(weights.architecture(), key.input.height, key.input.width)),
      operations_(operations_of(graph_)),
      path_(path) {
  Builder builder(*this, nullptr, nullptr, nullptr);
  builder.build();
  arena_bytes_ = builder.place(offsets_);
}

size_t LaunchPlan::input_bytes() const {
  return static_cast<size_t>(key_.input.batch * key_.input.bytes_per_image());
}

size_t LaunchPlan::output_bytes() const {
  const size_t node = key_.output == Output::features ? graph_.features : graph_.nodes.size() - 1;
  return static_cast<size_t>(key_.input.batch * graph_.nodes[node].output.channels) * sizeof(float);
}

Calls LaunchPlan::calls(std::byte* arena, const std::byte* input, std::byte* output) const {
  return Builder(*this, arena, input, output).build();
}

}  // namespace ghostnet::cuda
