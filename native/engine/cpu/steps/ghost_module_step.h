#pragma once

#include "engine/cpu/steps/step.h"
#include "kernels/cpu/ghost_module.h"

namespace ghostnet {

struct GhostModuleBuffers {
  int input, output;
  std::optional<int> gate = {}, attention = {}, residual = {}, row_sums = {};
  std::optional<int> kept = {};  ///< rows kept from one call of run_rows to the next
};

/** A ghost module, with the gate on its input, the attention on its output and the sum with a residual if the
 * network has them. */
template <typename Value>
class GhostModuleStep : public RowStep {
 public:
  /** @param low the plane of the attention; ignored without one */
  GhostModuleStep(const Node& node, const cpu::KernelsOn<Value>& kernels,
                  const cpu::PackedGhostModule<Value>& module, Plane in, Plane low,
                  GhostModuleBuffers buffers, Split split)
      : RowStep(node.name, module.weight_count() * node.output.pixels(), in, node.output, buffers.output),
        kernels_(kernels),
        module_(module),
        memory_(kernels, module),
        low_(low),
        buffers_(buffers),
        split_(split) {
    bytes = bytes_of<Value>(in.count() + (buffers.residual ? 2 : 1) * out().count() +
                            module.primary.weight_count());
    scratch = bytes_of<Value>(kept_values() + (buffers.gate ? memory_.gated_size() : 0));
    if (!buffers.attention) return;
    bytes += bytes_of<Value>(low.count());
    for (int64_t x = 0; x < in.width; ++x)
      offsets_.push_back(cpu::nearest(x, in.width, low.width) * low.channels);
    scratch = factor_offset() + memory_.tile_rows(in.width) * in.width * static_cast<int64_t>(sizeof(Value*));
  }

  void run(const StepContext& context) const override {
    const bool by_rows = split_ == Split::rows;
    const cpu::GhostModulePart part = {
        .rows = by_rows ? context.share_of(in().height) : cpu::Range{0, in().height},
        .panels = by_rows ? module_.primary.all_panels()
                          : panels_of(module_.primary.panels, context.rank, context.size),
        .resumes = false,
    };
    const cpu::RowsOf<Value> kept = {context.scratch_of<Value>(), memory_.kept_row_size(in().width),
                                     memory_.kept_rows(in().height, in().width)};
    run_ghost_module(kernels_, module_, call(context), part, kept, kept.data + kept_values());
  }

  void run_rows(const StepContext& context, cpu::Range rows) const override {
    const cpu::GhostModulePart part = {.rows = rows, .panels = module_.primary.all_panels(), .resumes = true};
    run_ghost_module<Value>(kernels_, module_, call(context), part, context.rows<Value>(buffers_.kept, 0),
                            nullptr);
  }

  std::vector<Need> needs(cpu::Range rows) const override {
    const int64_t reach = module_.reach();
    const cpu::Range ahead = rows_around(rows.begin, rows.end + reach);
    std::vector<Need> needed = {{buffers_.input, ahead},
                                {buffers_.output, rows_around(rows.begin - reach, rows.end)}};
    if (buffers_.residual) needed.push_back({*buffers_.residual, ahead});
    if (buffers_.attention && ahead.size() > 0) {
      const auto low = [&](int64_t y) { return cpu::nearest(y, in().height, low_.height); };
      needed.push_back({*buffers_.attention, {low(ahead.begin), low(ahead.end - 1) + 1}});
    }
    if (buffers_.kept) needed.push_back({*buffers_.kept, rows_around(rows.begin - reach, rows.end + reach)});
    return needed;
  }

  int64_t ahead() const override { return module_.reach(); }

 private:
  int64_t kept_values() const {
    const int64_t kept = memory_.kept_rows(in().height, in().width) * memory_.kept_row_size(in().width);
    return cpu::round_up(kept + cpu::kReadableBehind, kernels_.lanes);
  }

  // The place of the pointers to factors in the scratch memory, in bytes.
  int64_t factor_offset() const {
    const int64_t values = kept_values() + (buffers_.gate ? memory_.gated_size() : 0);
    return cpu::round_up(bytes_of<Value>(values), sizeof(Value*));
  }

  cpu::LowerPlane<Value> attention(const StepContext& context) const {
    if (!buffers_.attention) return {};
    auto* const scratch = reinterpret_cast<std::byte*>(context.scratch);
    return {
        .rows = context.rows<Value>(buffers_.attention, low_.row()),
        .height = low_.height,
        .offsets = offsets_.data(),
        .pixels = reinterpret_cast<const Value**>(scratch + factor_offset()),
    };
  }

  cpu::CpuGhostCall<Value> call(const StepContext& context) const {
    return {
        .input = context.rows<Value>(buffers_.input, in().row()),
        .height = in().height,
        .width = in().width,
        .gate = context.buffer(buffers_.gate),
        .attention = attention(context),
        .residual = context.rows<Value>(buffers_.residual, out().row()),
        .output = context.rows<Value>(buffers_.output, out().row()),
        .row_sums = context.buffer(buffers_.row_sums),
    };
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedGhostModule<Value>& module_;
  cpu::GhostModuleMemory<Value> memory_;
  Plane low_;
  std::vector<int64_t> offsets_;  ///< of the pixels of a row of the attention, by column of the output
  GhostModuleBuffers buffers_;
  Split split_;
};

}  // namespace ghostnet
