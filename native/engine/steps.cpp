#include "engine/steps.h"

#include <algorithm>

namespace ghostnet {

namespace {

cpu::Range all_panels(const cpu::PackedProduct& product) { return {0, std::ssize(product.panels)}; }

cpu::Range share(const StepContext& context, int64_t count) {
  return cpu::share_of(count, context.rank, context.size);
}

// Channels in whole vectors, so that no thread reads lanes that another writes.
cpu::Range share_of_channels(const StepContext& context, int64_t channels) {
  const int64_t lanes = context.kernels->lanes;
  const cpu::Range vectors = share(context, cpu::round_up(channels, lanes) / lanes);
  return {std::min(vectors.begin * lanes, channels), std::min(vectors.end * lanes, channels)};
}

int64_t weights_of(const cpu::PackedDepthwise& weights) {
  return weights.channels * weights.kernel * weights.kernel;
}

int64_t weights_of(const cpu::PackedRows& weights) { return weights.depth * weights.columns; }

int64_t bytes_of(int64_t floats) { return floats * static_cast<int64_t>(sizeof(float)); }

}  // namespace

// Pixels of a tile of the stem or of a shortcut.
constexpr int64_t kTilePixels = 256;

StemStep::StemStep(const cpu::PackedProduct& weights, Input input, Plane in, Plane out, int output)
    : Step("conv_stem", weights.weight_count() * out.height * out.width),
      weights_(weights),
      input_(input),
      in_(in),
      out_(out),
      output_(output) {
  bytes = bytes_of(out.count()) + in.count() * (input == Input::bytes_nhwc ? 1 : bytes_of(1));
}

int64_t StemStep::tile_rows() const { return std::max<int64_t>(1, kTilePixels / out_.width); }

int64_t StemStep::scratch(const cpu::Kernels&) const {
  return (2 * tile_rows() + 1) * (in_.width + 2) * 3 + cpu::kReadableBehind;
}

void StemStep::read_row(const StepContext& context, int64_t y, float* row) const {
  const int64_t width = in_.width;
  // A pixel outside is 0 after normalisation.
  std::fill_n(row, 3, 0.f);
  std::fill_n(row + (width + 1) * 3, 3, 0.f);
  float* const inside = row + 3;
  if (y < 0 || y >= in_.height) {
    std::fill_n(inside, 3 * width, 0.f);
  } else if (input_ == Input::bytes_nhwc) {
    const auto* bytes = static_cast<const uint8_t*>(context.input) + y * width * 3;
    context.kernels->normalise_row(bytes, width, context.normalisation->scale, context.normalisation->shift,
                                   inside);
  } else {
    const auto* red = static_cast<const float*>(context.input) + y * width;
    const int64_t plane = in_.height * width;
    context.kernels->interleave_row(red, red + plane, red + 2 * plane, width, inside);
  }
}

void StemStep::run(const StepContext& context) const {
  const cpu::Range rows = share(context, out_.height);
  const int64_t pitch = (in_.width + 2) * 3;
  const int64_t tile = tile_rows();
  float* const output = context.buffer(output_);
  for (int64_t from = rows.begin; from < rows.end; from += tile) {
    const int64_t to = std::min(from + tile, rows.end);
    // Output row y takes the input rows 2y-1 to 2y+1.
    for (int64_t y = 2 * from - 1; y <= 2 * to - 1; ++y) {
      read_row(context, y, context.scratch + (y - (2 * from - 1)) * pitch);
    }
    for (int64_t y = from; y < to; ++y) {
      cpu::Product call{};
      call.a = context.scratch + 2 * (y - from) * pitch;
      call.row_stride = 2 * 3;
      call.segment_stride = pitch;
      call.rows = out_.width;
      call.relu = true;
      call.out = output + y * out_.width * out_.channels;
      call.out_stride = out_.channels;
      run_product(*context.kernels, weights_, weights_.weights.data(), all_panels(weights_), call);
    }
  }
}

GhostModuleStep::GhostModuleStep(std::string name, const cpu::PackedGhostModule& module, Plane in,
                                 Buffers buffers, Split split)
    : Step(std::move(name),
           (module.primary.weight_count() + weights_of(module.cheap)) * in.height * in.width),
      module_(module),
      in_(in),
      buffers_(buffers),
      split_(split) {
  const int64_t pixels = in.height * in.width;
  bytes = bytes_of(in.count() + (buffers.residual < 0 ? 1 : 2) * module.out() * pixels +
                   module.primary.weight_count());
}

int64_t GhostModuleStep::scratch(const cpu::Kernels& kernels) const {
  return ghost_module_scratch(kernels, module_, in_.height, in_.width, buffers_.gate >= 0);
}

void GhostModuleStep::run(const StepContext& context) const {
  const cpu::GhostModuleCall call = {
      .input = context.buffer(buffers_.input),
      .height = in_.height,
      .width = in_.width,
      .gate = context.buffer(buffers_.gate),
      .residual = context.buffer(buffers_.residual),
      .output = context.buffer(buffers_.output),
      .row_sums = context.buffer(buffers_.row_sums),
  };
  const bool by_rows = split_ == Split::rows;
  const cpu::Range rows = by_rows ? share(context, in_.height) : cpu::Range{0, in_.height};
  const cpu::Range panels =
      by_rows ? all_panels(module_.primary) : panels_of(module_.primary, context.rank, context.size);
  run_ghost_module(*context.kernels, module_, call, rows, panels, context.scratch);
}

DepthwiseStep::DepthwiseStep(std::string name, const cpu::PackedDepthwise& weights, int64_t stride, Plane in,
                             Plane out, int input, int output, int row_sums, Split split)
    : Step(std::move(name), weights_of(weights) * out.height * out.width),
      weights_(weights),
      stride_(stride),
      in_(in),
      out_(out),
      input_(input),
      output_(output),
      row_sums_(row_sums),
      split_(split) {
  bytes = bytes_of(in.count() + out.count());
}

void DepthwiseStep::run(const StepContext& context) const {
  const bool by_rows = split_ == Split::rows;
  const cpu::Range rows = by_rows ? share(context, out_.height) : cpu::Range{0, out_.height};
  const cpu::Range channels =
      by_rows ? cpu::Range{0, out_.channels} : share_of_channels(context, out_.channels);
  if (channels.size() == 0) return;
  const cpu::DepthwiseCall call = {
      .height = in_.height,
      .width = in_.width,
      .pixel_stride = in_.channels,
      .out_width = out_.width,
      .stride = stride_,
      .channels = channels,
      .relu = false,
      .out_stride = out_.channels,
  };
  const float* const input = context.buffer(input_);
  const auto row_of = [&](int64_t y) { return input + y * in_.width * in_.channels; };
  float* const sums = context.buffer(row_sums_);
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    float* const row = context.buffer(output_) + y * out_.width * out_.channels;
    run_depthwise_row(*context.kernels, weights_, call, y, row_of, nullptr, row);
    if (sums == nullptr) continue;
    context.kernels->sum_pixels(row + channels.begin, out_.width, out_.channels, channels.size(), false,
                                sums + y * out_.channels + channels.begin);
  }
}

ShortcutStep::ShortcutStep(std::string name, const PackedShortcut& weights, int64_t stride, Plane in,
                           Plane out, int input, int output, Split split)
    : Step(std::move(name),
           (weights_of(weights.spatial) + weights.pointwise.weight_count()) * out.height * out.width),
      weights_(weights),
      stride_(stride),
      in_(in),
      out_(out),
      input_(input),
      output_(output),
      split_(split) {
  bytes = bytes_of(in.count() + out.count() + weights.pointwise.weight_count());
}

int64_t ShortcutStep::tile_rows() const { return std::max<int64_t>(1, kTilePixels / out_.width); }

int64_t ShortcutStep::scratch(const cpu::Kernels&) const {
  return std::min(tile_rows(), out_.height) * out_.width * in_.channels + cpu::kReadableBehind;
}

void ShortcutStep::run(const StepContext& context) const {
  // Where channels are split each thread makes the few spatial rows for itself.
  const bool by_rows = split_ == Split::rows;
  const cpu::Range rows = by_rows ? share(context, out_.height) : cpu::Range{0, out_.height};
  const cpu::Range panels =
      by_rows ? all_panels(weights_.pointwise) : panels_of(weights_.pointwise, context.rank, context.size);
  const cpu::DepthwiseCall spatial = {
      .height = in_.height,
      .width = in_.width,
      .pixel_stride = in_.channels,
      .out_width = out_.width,
      .stride = stride_,
      .channels = {0, in_.channels},
      .relu = false,
      .out_stride = in_.channels,
  };
  const float* const input = context.buffer(input_);
  const auto row_of = [&](int64_t y) { return input + y * in_.width * in_.channels; };
  float* const output = context.buffer(output_);
  for (int64_t from = rows.begin; from < rows.end; from += tile_rows()) {
    const int64_t to = std::min(from + tile_rows(), rows.end);
    for (int64_t y = from; y < to; ++y) {
      run_depthwise_row(*context.kernels, weights_.spatial, spatial, y, row_of, nullptr,
                        context.scratch + (y - from) * out_.width * in_.channels);
    }
    cpu::Product call{};
    call.a = context.scratch;
    call.row_stride = in_.channels;
    call.rows = (to - from) * out_.width;
    call.out = output + from * out_.width * out_.channels;
    call.out_stride = out_.channels;
    run_product(*context.kernels, weights_.pointwise, weights_.pointwise.weights.data(), panels, call);
  }
}

SqueezeStep::SqueezeStep(std::string name, const cpu::PackedRows& weights, Plane in, int row_sums, int output)
    : Step(std::move(name), weights_of(weights)),
      weights_(weights),
      in_(in),
      row_sums_(row_sums),
      output_(output) {
  bytes = bytes_of(weights_of(weights) + in.channels * in.height);
}

int64_t SqueezeStep::scratch(const cpu::Kernels&) const { return in_.channels + cpu::kReadableBehind; }

void SqueezeStep::run(const StepContext& context) const {
  float* const means = context.scratch;
  context.kernels->sum_pixels(context.buffer(row_sums_), in_.height, in_.channels, in_.channels, false,
                              means);
  const auto pixels = static_cast<float>(in_.height * in_.width);
  for (int64_t c = 0; c < in_.channels; ++c) means[c] /= pixels;
  run_rows(*context.kernels, weights_, share(context, weights_.panels), means, 1,
           cpu::RowProduct::Activation::relu, context.buffer(output_));
}

ExciteStep::ExciteStep(std::string name, const cpu::PackedRows& weights, int input, int output)
    : Step(std::move(name), weights_of(weights)), weights_(weights), input_(input), output_(output) {
  bytes = bytes_of(weights_of(weights));
}

void ExciteStep::run(const StepContext& context) const {
  run_rows(*context.kernels, weights_, share(context, weights_.panels), context.buffer(input_), 1,
           cpu::RowProduct::Activation::hard_sigmoid, context.buffer(output_));
}

LastStep::LastStep(std::string name, const cpu::PackedProduct& weights, Plane in, int input)
    : Step(std::move(name), weights.weight_count() * in.height * in.width),
      weights_(weights),
      in_(in),
      input_(input) {
  bytes = bytes_of(in.count() + weights.weight_count());
}

int64_t LastStep::scratch(const cpu::Kernels& kernels) const {
  return kTilePixels * 3 * kernels.lanes + cpu::kReadableBehind;
}

void LastStep::run(const StepContext& context) const {
  const cpu::Range panels = panels_of(weights_, context.rank, context.size);
  const int64_t pixels = in_.height * in_.width;
  for (int64_t index = panels.begin; index < panels.end; ++index) {
    const auto& panel = weights_.panels[static_cast<size_t>(index)];
    float* const sums = context.pooled + panel.column;
    const int64_t pitch = panel.vectors * context.kernels->lanes;
    for (int64_t from = 0; from < pixels; from += kTilePixels) {
      cpu::Product call{};
      call.a = context.buffer(input_) + from * in_.channels;
      call.row_stride = in_.channels;
      call.rows = std::min(kTilePixels, pixels - from);
      call.relu = true;
      call.plain = context.scratch - panel.column;
      call.plain_stride = pitch;
      run_product(*context.kernels, weights_, weights_.weights.data(), {index, index + 1}, call);
      context.kernels->sum_pixels(context.scratch, call.rows, pitch, panel.columns, from > 0, sums);
    }
    for (int64_t c = 0; c < panel.columns; ++c) sums[c] /= static_cast<float>(pixels);
  }
}

}  // namespace ghostnet
