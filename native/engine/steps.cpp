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
    : RowStep("conv_stem", weights.weight_count() * out.height * out.width, in, out, output),
      weights_(weights),
      input_(input) {
  bytes = bytes_of(out.count()) + in.count() * (input == Input::bytes_nhwc ? 1 : bytes_of(1));
}

int64_t StemStep::tile_rows() const { return std::max<int64_t>(1, kTilePixels / out().width); }

int64_t StemStep::scratch(const cpu::Kernels&) const {
  return (2 * tile_rows() + 1) * (in().width + 2) * 3 + cpu::kReadableBehind;
}

void StemStep::read_row(const StepContext& context, int64_t y, float* row) const {
  const int64_t width = in().width;
  // A pixel outside is 0 after normalisation.
  std::fill_n(row, 3, 0.f);
  std::fill_n(row + (width + 1) * 3, 3, 0.f);
  float* const inside = row + 3;
  if (y < 0 || y >= in().height) {
    std::fill_n(inside, 3 * width, 0.f);
  } else if (input_ == Input::bytes_nhwc) {
    const auto* bytes = static_cast<const uint8_t*>(context.input) + y * width * 3;
    context.kernels->normalise_row(bytes, width, context.normalisation->scale, context.normalisation->shift,
                                   inside);
  } else {
    const auto* red = static_cast<const float*>(context.input) + y * width;
    const int64_t plane = in().height * width;
    context.kernels->interleave_row(red, red + plane, red + 2 * plane, width, inside);
  }
}

void StemStep::run_rows(const StepContext& context, cpu::Range rows) const {
  const int64_t pitch = (in().width + 2) * 3;
  const int64_t tile = tile_rows();
  const cpu::Rows output = context.rows(this->output(), out());
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
      call.rows = out().width;
      call.relu = true;
      call.out = output.row(y);
      call.out_stride = out().channels;
      run_product(*context.kernels, weights_, weights_.weights.data(), all_panels(weights_), call);
    }
  }
}

void StemStep::run(const StepContext& context) const { run_rows(context, share(context, out().height)); }

GhostModuleStep::GhostModuleStep(std::string name, const cpu::PackedGhostModule& module, Plane in,
                                 Buffers buffers, Split split)
    : RowStep(std::move(name),
              (module.primary.weight_count() + weights_of(module.cheap)) * in.height * in.width, in,
              {module.out(), in.height, in.width}, buffers.output),
      module_(module),
      buffers_(buffers),
      split_(split) {
  bytes =
      bytes_of(in.count() + (buffers.residual < 0 ? 1 : 2) * out().count() + module.primary.weight_count());
}

int64_t GhostModuleStep::scratch(const cpu::Kernels& kernels) const {
  const int64_t kept =
      kept_rows(module_, in().height, in().width) * kept_row_size(kernels, module_, in().width);
  return cpu::round_up(kept + cpu::kReadableBehind, kernels.lanes) +
         (buffers_.gate < 0 ? 0 : gated_size(kernels, module_));
}

cpu::GhostModuleCall GhostModuleStep::call(const StepContext& context) const {
  return {
      .input = context.rows(buffers_.input, in()),
      .height = in().height,
      .width = in().width,
      .gate = context.buffer(buffers_.gate),
      .residual = context.rows(buffers_.residual, out()),
      .output = context.rows(buffers_.output, out()),
      .row_sums = context.buffer(buffers_.row_sums),
  };
}

void GhostModuleStep::run(const StepContext& context) const {
  const cpu::Kernels& kernels = *context.kernels;
  const bool by_rows = split_ == Split::rows;
  const cpu::GhostModulePart part = {
      .rows = by_rows ? share(context, in().height) : cpu::Range{0, in().height},
      .panels =
          by_rows ? all_panels(module_.primary) : panels_of(module_.primary, context.rank, context.size),
      .resumes = false,
  };
  const cpu::Rows kept = {context.scratch, kept_row_size(kernels, module_, in().width),
                          kept_rows(module_, in().height, in().width)};
  float* const gated =
      context.scratch + cpu::round_up(kept.size * kept.ring + cpu::kReadableBehind, kernels.lanes);
  run_ghost_module(kernels, module_, call(context), part, kept, gated);
}

void GhostModuleStep::run_rows(const StepContext& context, cpu::Range rows) const {
  const cpu::GhostModulePart part = {.rows = rows, .panels = all_panels(module_.primary), .resumes = true};
  const cpu::Rows kept = {context.buffer(buffers_.kept), 0,
                          buffers_.kept < 0 ? 1 : context.places[buffers_.kept].ring};
  run_ghost_module(*context.kernels, module_, call(context), part, kept, nullptr);
}

std::vector<RowStep::Need> GhostModuleStep::needs(cpu::Range rows) const {
  const int64_t reach = reach_of(module_);
  const cpu::Range ahead = rows_around(rows.begin, rows.end + reach);
  std::vector<Need> needed = {{buffers_.input, ahead},
                              {buffers_.output, rows_around(rows.begin - reach, rows.end)}};
  if (buffers_.residual >= 0) needed.push_back({buffers_.residual, ahead});
  if (buffers_.kept >= 0)
    needed.push_back({buffers_.kept, rows_around(rows.begin - reach, rows.end + reach)});
  return needed;
}

DepthwiseStep::DepthwiseStep(std::string name, const cpu::PackedDepthwise& weights, int64_t stride, Plane in,
                             Plane out, int input, int output, int row_sums, Split split)
    : RowStep(std::move(name), weights_of(weights) * out.height * out.width, in, out, output),
      weights_(weights),
      stride_(stride),
      input_(input),
      row_sums_(row_sums),
      split_(split) {
  bytes = bytes_of(in.count() + out.count());
}

void DepthwiseStep::run(const StepContext& context) const {
  if (split_ == Split::rows) return run_rows(context, share(context, out().height));
  run_part(context, {0, out().height}, share_of_channels(context, out().channels));
}

void DepthwiseStep::run_rows(const StepContext& context, cpu::Range rows) const {
  run_part(context, rows, {0, out().channels});
}

void DepthwiseStep::run_part(const StepContext& context, cpu::Range rows, cpu::Range channels) const {
  if (channels.size() == 0) return;
  const cpu::DepthwiseCall call = {
      .height = in().height,
      .width = in().width,
      .pixel_stride = in().channels,
      .out_width = out().width,
      .stride = stride_,
      .channels = channels,
      .relu = false,
      .out_stride = out().channels,
  };
  const cpu::Rows input = context.rows(input_, in());
  const cpu::Rows output = context.rows(this->output(), out());
  float* const sums = context.buffer(row_sums_);
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    float* const row = output.row(y);
    run_depthwise_row(
        *context.kernels, weights_, call, y, [&](int64_t from) { return input.row(from); }, nullptr, row);
    if (sums == nullptr) continue;
    context.kernels->sum_pixels(row + channels.begin, out().width, out().channels, channels.size(), false,
                                sums + y * out().channels + channels.begin);
  }
}

std::vector<RowStep::Need> DepthwiseStep::needs(cpu::Range rows) const {
  const int64_t padding = weights_.kernel / 2;
  return {{input_, rows_around(rows.begin * stride_ - padding, (rows.end - 1) * stride_ + padding + 1)}};
}

ShortcutStep::ShortcutStep(std::string name, const PackedShortcut& weights, int64_t stride, Plane in,
                           Plane out, int input, int output, Split split)
    : RowStep(std::move(name),
              (weights_of(weights.spatial) + weights.pointwise.weight_count()) * out.height * out.width, in,
              out, output),
      weights_(weights),
      stride_(stride),
      input_(input),
      split_(split) {
  bytes = bytes_of(in.count() + out.count() + weights.pointwise.weight_count());
}

int64_t ShortcutStep::tile_rows() const { return std::max<int64_t>(1, kTilePixels / out().width); }

int64_t ShortcutStep::scratch(const cpu::Kernels&) const {
  return std::min(tile_rows(), out().height) * out().width * in().channels + cpu::kReadableBehind;
}

void ShortcutStep::run(const StepContext& context) const {
  if (split_ == Split::rows) return run_rows(context, share(context, out().height));
  // Each thread makes the few spatial rows for itself.
  run_part(context, {0, out().height}, panels_of(weights_.pointwise, context.rank, context.size));
}

void ShortcutStep::run_rows(const StepContext& context, cpu::Range rows) const {
  run_part(context, rows, all_panels(weights_.pointwise));
}

void ShortcutStep::run_part(const StepContext& context, cpu::Range rows, cpu::Range panels) const {
  const cpu::DepthwiseCall spatial = {
      .height = in().height,
      .width = in().width,
      .pixel_stride = in().channels,
      .out_width = out().width,
      .stride = stride_,
      .channels = {0, in().channels},
      .relu = false,
      .out_stride = in().channels,
  };
  const cpu::Rows input = context.rows(input_, in());
  const cpu::Rows output = context.rows(this->output(), out());
  for (int64_t from = rows.begin; from < rows.end;) {
    const int64_t to = std::min({from + tile_rows(), rows.end, from + output.run(from)});
    for (int64_t y = from; y < to; ++y) {
      run_depthwise_row(
          *context.kernels, weights_.spatial, spatial, y, [&](int64_t row) { return input.row(row); },
          nullptr, context.scratch + (y - from) * out().width * in().channels);
    }
    cpu::Product call{};
    call.a = context.scratch;
    call.row_stride = in().channels;
    call.rows = (to - from) * out().width;
    call.out = output.row(from);
    call.out_stride = out().channels;
    run_product(*context.kernels, weights_.pointwise, weights_.pointwise.weights.data(), panels, call);
    from = to;
  }
}

std::vector<RowStep::Need> ShortcutStep::needs(cpu::Range rows) const {
  const int64_t padding = weights_.spatial.kernel / 2;
  return {{input_, rows_around(rows.begin * stride_ - padding, (rows.end - 1) * stride_ + padding + 1)}};
}

SqueezeStep::SqueezeStep(std::string name, const cpu::PackedRows& weights, Plane in, int row_sums, int output)
    : Step(std::move(name), weights_of(weights)),
      weights_(weights),
      in_(in),
      row_sums_(row_sums),
      output_(output) {
  bytes = bytes_of(weights_of(weights) + in.channels * in.height);
}

int64_t SqueezeStep::scratch(const cpu::Kernels&) const {
  return kMaxGroup * in_.channels + cpu::kReadableBehind;
}

void SqueezeStep::run_group(const StepContext& first, int64_t images) const {
  const cpu::Strided<float> means = {first.scratch, in_.channels};
  const auto pixels = static_cast<float>(in_.height * in_.width);
  for (int64_t image = 0; image < images; ++image) {
    float* const mean = means.row(image);
    first.kernels->sum_pixels(first.buffers(row_sums_).row(image), in_.height, in_.channels, in_.channels,
                              false, mean);
    for (int64_t c = 0; c < in_.channels; ++c) mean[c] /= pixels;
  }
  run_rows(*first.kernels, weights_, share(first, weights_.panels), {means.data, means.stride}, images,
           cpu::Activation::relu, first.buffers(output_));
}

ExciteStep::ExciteStep(std::string name, const cpu::PackedRows& weights, int input, int output)
    : Step(std::move(name), weights_of(weights)), weights_(weights), input_(input), output_(output) {
  bytes = bytes_of(weights_of(weights));
}

void ExciteStep::run_group(const StepContext& first, int64_t images) const {
  const cpu::Strided<float> input = first.buffers(input_);
  run_rows(*first.kernels, weights_, share(first, weights_.panels), {input.data, input.stride}, images,
           cpu::Activation::hard_sigmoid, first.buffers(output_));
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
    float* const sums = context.pooled.data + panel.column;
    const int64_t pitch = panel.width;
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
