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

template <typename Value>
constexpr int64_t bytes_of(int64_t values) {
  return values * static_cast<int64_t>(sizeof(Value));
}

}  // namespace

// Pixels of a tile of the stem or of a shortcut.
constexpr int64_t kTilePixels = 256;

template <typename Value>
StemStep<Value>::StemStep(const cpu::PackedProduct& weights, Input input, Plane in, Plane out, int output)
    : RowStep("conv_stem", weights.weight_count() * out.height * out.width, in, out, output),
      weights_(weights),
      input_(input) {
  bytes = bytes_of<Value>(out.count()) + in.count() * (input == Input::bytes_nhwc ? 1 : bytes_of<float>(1));
}

template <typename Value>
int64_t StemStep<Value>::tile_rows() const {
  return std::max<int64_t>(1, kTilePixels / out().width);
}

template <typename Value>
int64_t StemStep<Value>::scratch(const cpu::Kernels&) const {
  return bytes_of<Value>((2 * tile_rows() + 1) * (in().width + 2) * 3 + cpu::kReadableBehind);
}

template <typename Value>
void StemStep<Value>::read_row(const StepContext& context, int64_t y, Value* row) const {
  const int64_t width = in().width;
  // A pixel outside is 0 after normalisation.
  std::fill_n(row, 3, Value{});
  std::fill_n(row + (width + 1) * 3, 3, Value{});
  Value* const inside = row + 3;
  const cpu::KernelsOn<Value>& kernels = cpu::kernels_on<Value>(*context.kernels);
  if (y < 0 || y >= in().height) {
    std::fill_n(inside, 3 * width, Value{});
  } else if (input_ == Input::bytes_nhwc) {
    const auto* bytes = static_cast<const uint8_t*>(context.input) + y * width * 3;
    kernels.normalise_row(bytes, width, context.normalisation->scale, context.normalisation->shift, inside);
  } else {
    const auto* red = static_cast<const float*>(context.input) + y * width;
    const int64_t plane = in().height * width;
    kernels.interleave_row(red, red + plane, red + 2 * plane, width, inside);
  }
}

template <typename Value>
void StemStep<Value>::run_rows(const StepContext& context, cpu::Range rows) const {
  const int64_t pitch = (in().width + 2) * 3;
  const int64_t tile = tile_rows();
  Value* const scratch = context.scratch_of<Value>();
  const auto output = context.rows<Value>(this->output(), out());
  for (int64_t from = rows.begin; from < rows.end; from += tile) {
    const int64_t to = std::min(from + tile, rows.end);
    // Output row y takes the input rows 2y-1 to 2y+1.
    for (int64_t y = 2 * from - 1; y <= 2 * to - 1; ++y) {
      read_row(context, y, scratch + (y - (2 * from - 1)) * pitch);
    }
    for (int64_t y = from; y < to; ++y) {
      cpu::ProductOf<Value> call{};
      call.a = scratch + 2 * (y - from) * pitch;
      call.row_stride = 2 * 3;
      call.segment_stride = pitch;
      call.rows = out().width;
      call.relu = true;
      call.out = output.row(y);
      call.out_stride = out().channels;
      run_product(cpu::kernels_on<Value>(*context.kernels), weights_, weights_.weights_as<Value>(),
                  all_panels(weights_), call);
    }
  }
}

template <typename Value>
void StemStep<Value>::run(const StepContext& context) const {
  run_rows(context, share(context, out().height));
}

template <typename Value>
GhostModuleStep<Value>::GhostModuleStep(std::string name, const cpu::PackedGhostModule& module, Plane in,
                                        GhostModuleBuffers buffers, Split split)
    : RowStep(std::move(name),
              (module.primary.weight_count() + weights_of(module.cheap)) * in.height * in.width, in,
              {module.out(), in.height, in.width}, buffers.output),
      module_(module),
      buffers_(buffers),
      split_(split) {
  bytes = bytes_of<Value>(in.count() + (buffers.residual < 0 ? 1 : 2) * out().count() +
                          module.primary.weight_count());
}

template <typename Value>
int64_t GhostModuleStep<Value>::scratch(const cpu::Kernels& kernels) const {
  const int64_t kept =
      kept_rows(module_, in().height, in().width) * kept_row_size(kernels, module_, in().width);
  return bytes_of<Value>(cpu::round_up(kept + cpu::kReadableBehind, kernels.lanes) +
                         (buffers_.gate < 0 ? 0 : gated_size(kernels, module_)));
}

template <typename Value>
cpu::GhostModuleCall<Value> GhostModuleStep<Value>::call(const StepContext& context) const {
  return {
      .input = context.rows<Value>(buffers_.input, in()),
      .height = in().height,
      .width = in().width,
      .gate = context.buffer(buffers_.gate),
      .residual = context.rows<Value>(buffers_.residual, out()),
      .output = context.rows<Value>(buffers_.output, out()),
      .row_sums = context.buffer(buffers_.row_sums),
  };
}

template <typename Value>
void GhostModuleStep<Value>::run(const StepContext& context) const {
  const cpu::Kernels& kernels = *context.kernels;
  const bool by_rows = split_ == Split::rows;
  const cpu::GhostModulePart part = {
      .rows = by_rows ? share(context, in().height) : cpu::Range{0, in().height},
      .panels =
          by_rows ? all_panels(module_.primary) : panels_of(module_.primary, context.rank, context.size),
      .resumes = false,
  };
  const cpu::RowsOf<Value> kept = {context.scratch_of<Value>(), kept_row_size(kernels, module_, in().width),
                                   kept_rows(module_, in().height, in().width)};
  Value* const gated = kept.data + cpu::round_up(kept.size * kept.ring + cpu::kReadableBehind, kernels.lanes);
  run_ghost_module(cpu::kernels_on<Value>(kernels), module_, call(context), part, kept, gated);
}

template <typename Value>
void GhostModuleStep<Value>::run_rows(const StepContext& context, cpu::Range rows) const {
  const cpu::GhostModulePart part = {.rows = rows, .panels = all_panels(module_.primary), .resumes = true};
  const auto kept = context.rows<Value>(buffers_.kept, {});
  run_ghost_module<Value>(cpu::kernels_on<Value>(*context.kernels), module_, call(context), part, kept,
                          nullptr);
}

template <typename Value>
std::vector<RowStep::Need> GhostModuleStep<Value>::needs(cpu::Range rows) const {
  const int64_t reach = reach_of(module_);
  const cpu::Range ahead = rows_around(rows.begin, rows.end + reach);
  std::vector<Need> needed = {{buffers_.input, ahead},
                              {buffers_.output, rows_around(rows.begin - reach, rows.end)}};
  if (buffers_.residual >= 0) needed.push_back({buffers_.residual, ahead});
  if (buffers_.kept >= 0)
    needed.push_back({buffers_.kept, rows_around(rows.begin - reach, rows.end + reach)});
  return needed;
}

template <typename Value>
DepthwiseStep<Value>::DepthwiseStep(std::string name, const cpu::PackedDepthwise& weights, int64_t stride,
                                    Plane in, Plane out, int input, int output, int row_sums, Split split)
    : RowStep(std::move(name), weights_of(weights) * out.height * out.width, in, out, output),
      weights_(weights),
      stride_(stride),
      input_(input),
      row_sums_(row_sums),
      split_(split) {
  bytes = bytes_of<Value>(in.count() + out.count());
}

template <typename Value>
void DepthwiseStep<Value>::run(const StepContext& context) const {
  if (split_ == Split::rows) return run_rows(context, share(context, out().height));
  run_part(context, {0, out().height}, share_of_channels(context, out().channels));
}

template <typename Value>
void DepthwiseStep<Value>::run_rows(const StepContext& context, cpu::Range rows) const {
  run_part(context, rows, {0, out().channels});
}

template <typename Value>
void DepthwiseStep<Value>::run_part(const StepContext& context, cpu::Range rows, cpu::Range channels) const {
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
  const cpu::KernelsOn<Value>& kernels = cpu::kernels_on<Value>(*context.kernels);
  const auto input = context.rows<const Value>(input_, in());
  const auto output = context.rows<Value>(this->output(), out());
  float* const sums = context.buffer(row_sums_);
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    Value* const row = output.row(y);
    run_depthwise_row<Value>(
        kernels, weights_, call, y, [&](int64_t from) { return input.row(from); }, nullptr, row);
    if (sums == nullptr) continue;
    kernels.sum_pixels(row + channels.begin, out().width, out().channels, channels.size(), false,
                       sums + y * out().channels + channels.begin);
  }
}

template <typename Value>
std::vector<RowStep::Need> DepthwiseStep<Value>::needs(cpu::Range rows) const {
  const int64_t padding = weights_.kernel / 2;
  return {{input_, rows_around(rows.begin * stride_ - padding, (rows.end - 1) * stride_ + padding + 1)}};
}

template <typename Value>
ShortcutStep<Value>::ShortcutStep(std::string name, const PackedShortcut& weights, int64_t stride, Plane in,
                                  Plane out, int input, int output, Split split)
    : RowStep(std::move(name),
              (weights_of(weights.spatial) + weights.pointwise.weight_count()) * out.height * out.width, in,
              out, output),
      weights_(weights),
      stride_(stride),
      input_(input),
      split_(split) {
  bytes = bytes_of<Value>(in.count() + out.count() + weights.pointwise.weight_count());
}

template <typename Value>
int64_t ShortcutStep<Value>::tile_rows() const {
  return std::max<int64_t>(1, kTilePixels / out().width);
}

template <typename Value>
int64_t ShortcutStep<Value>::scratch(const cpu::Kernels&) const {
  return bytes_of<Value>(std::min(tile_rows(), out().height) * out().width * in().channels +
                         cpu::kReadableBehind);
}

template <typename Value>
void ShortcutStep<Value>::run(const StepContext& context) const {
  if (split_ == Split::rows) return run_rows(context, share(context, out().height));
  // Each thread makes the few spatial rows for itself.
  run_part(context, {0, out().height}, panels_of(weights_.pointwise, context.rank, context.size));
}

template <typename Value>
void ShortcutStep<Value>::run_rows(const StepContext& context, cpu::Range rows) const {
  run_part(context, rows, all_panels(weights_.pointwise));
}

template <typename Value>
void ShortcutStep<Value>::run_part(const StepContext& context, cpu::Range rows, cpu::Range panels) const {
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
  const cpu::KernelsOn<Value>& kernels = cpu::kernels_on<Value>(*context.kernels);
  const auto input = context.rows<const Value>(input_, in());
  const auto output = context.rows<Value>(this->output(), out());
  Value* const scratch = context.scratch_of<Value>();
  for (int64_t from = rows.begin; from < rows.end;) {
    const int64_t to = std::min({from + tile_rows(), rows.end, from + output.run(from)});
    for (int64_t y = from; y < to; ++y) {
      run_depthwise_row<Value>(
          kernels, weights_.spatial, spatial, y, [&](int64_t row) { return input.row(row); }, nullptr,
          scratch + (y - from) * out().width * in().channels);
    }
    cpu::ProductOf<Value> call{};
    call.a = scratch;
    call.row_stride = in().channels;
    call.rows = (to - from) * out().width;
    call.out = output.row(from);
    call.out_stride = out().channels;
    run_product(kernels, weights_.pointwise, weights_.pointwise.weights_as<Value>(), panels, call);
    from = to;
  }
}

template <typename Value>
std::vector<RowStep::Need> ShortcutStep<Value>::needs(cpu::Range rows) const {
  const int64_t padding = weights_.spatial.kernel / 2;
  return {{input_, rows_around(rows.begin * stride_ - padding, (rows.end - 1) * stride_ + padding + 1)}};
}

SqueezeStep::SqueezeStep(std::string name, const cpu::PackedRows& weights, Plane in, int row_sums, int output)
    : Step(std::move(name), weights_of(weights)),
      weights_(weights),
      in_(in),
      row_sums_(row_sums),
      output_(output) {
  bytes = bytes_of<float>(weights_of(weights) + in.channels * in.height);
}

int64_t SqueezeStep::scratch(const cpu::Kernels&) const {
  return bytes_of<float>(kMaxGroup * in_.channels + cpu::kReadableBehind);
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
  bytes = bytes_of<float>(weights_of(weights));
}

void ExciteStep::run_group(const StepContext& first, int64_t images) const {
  const cpu::Strided<float> input = first.buffers(input_);
  run_rows(*first.kernels, weights_, share(first, weights_.panels), {input.data, input.stride}, images,
           cpu::Activation::hard_sigmoid, first.buffers(output_));
}

template <typename Value>
LastStep<Value>::LastStep(std::string name, const cpu::PackedProduct& weights, Plane in, int input)
    : Step(std::move(name), weights.weight_count() * in.height * in.width),
      weights_(weights),
      in_(in),
      input_(input) {
  bytes = bytes_of<Value>(in.count() + weights.weight_count());
}

template <typename Value>
int64_t LastStep<Value>::scratch(const cpu::Kernels& kernels) const {
  return bytes_of<Value>(kTilePixels * 3 * kernels.lanes + cpu::kReadableBehind);
}

template <typename Value>
void LastStep<Value>::run(const StepContext& context) const {
  const cpu::Range panels = panels_of(weights_, context.rank, context.size);
  const int64_t pixels = in_.height * in_.width;
  const cpu::KernelsOn<Value>& kernels = cpu::kernels_on<Value>(*context.kernels);
  const Value* const input = context.rows<Value>(input_, in_).data;
  Value* const scratch = context.scratch_of<Value>();
  for (int64_t index = panels.begin; index < panels.end; ++index) {
    const auto& panel = weights_.panels[static_cast<size_t>(index)];
    float* const sums = context.pooled.data + panel.column;
    const int64_t pitch = panel.width;
    for (int64_t from = 0; from < pixels; from += kTilePixels) {
      cpu::ProductOf<Value> call{};
      call.a = input + from * in_.channels;
      call.row_stride = in_.channels;
      call.rows = std::min(kTilePixels, pixels - from);
      call.relu = true;
      call.plain = scratch - panel.column;
      call.plain_stride = pitch;
      run_product(kernels, weights_, weights_.weights_as<Value>(), {index, index + 1}, call);
      kernels.sum_pixels(scratch, call.rows, pitch, panel.columns, from > 0, sums);
    }
    for (int64_t c = 0; c < panel.columns; ++c) sums[c] /= static_cast<float>(pixels);
  }
}

template class StemStep<float>;
template class StemStep<cpu::BFloat16>;
template class GhostModuleStep<float>;
template class GhostModuleStep<cpu::BFloat16>;
template class DepthwiseStep<float>;
template class DepthwiseStep<cpu::BFloat16>;
template class ShortcutStep<float>;
template class ShortcutStep<cpu::BFloat16>;
template class LastStep<float>;
template class LastStep<cpu::BFloat16>;

}  // namespace ghostnet
