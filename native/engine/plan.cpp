#include "engine/plan.h"

#include <algorithm>

#include "engine/arena.h"

namespace ghostnet {

/** Follows an image through the network, and notes the steps and when each buffer is used. */
class Plan::Builder {
 public:
  Builder(Plan& plan, const PackedNetwork& network, const cpu::Kernels& kernels)
      : plan_(plan), network_(network), kernels_(kernels) {}

  void build() {
    const PlanKey& key = plan_.key_;
    const Plane input = {3, key.height, key.width};
    Plane plane = strided(input, network_.stem.columns, 2);
    int x = buffer(plane.count());
    add(std::make_unique<StemStep>(network_.stem, key.input, input, plane, x), {x});
    for (const PackedBottleneck& block : network_.blocks) x = bottleneck(block, plane, x);
    add(std::make_unique<LastStep>("last 1x1 and mean", network_.last, plane, x), {x});

    plan_.buffers_size_ = layout_.place();
    for (int index = 0; index < buffers_; ++index) plan_.offsets_.push_back(layout_.offset(index));
    for (const auto& step : plan_.steps_) {
      plan_.scratch_size_ = std::max(plan_.scratch_size_, cpu::round_up(step->scratch(kernels_), 16));
    }
  }

 private:
  static Plane strided(const Plane& plane, int64_t channels, int64_t stride) {
    return {channels, (plane.height - 1) / stride + 1, (plane.width - 1) / stride + 1};
  }

  // Rows of a few threads' bands, and one more above and below that each has to make for itself, or channels.
  Split split_of(const Plane& plane) const {
    constexpr int64_t kRowsWorthSplitting = 7;
    return plane.height >= kRowsWorthSplitting * plan_.team_size_ ? Split::rows : Split::channels;
  }

  int buffer(int64_t floats) {
    ++buffers_;
    return layout_.add(floats);
  }

  // Steps without a barrier between them may run at the same time: they share a moment.
  void add(std::unique_ptr<Step> step, std::initializer_list<int> used, bool barrier_after = true) {
    for (const int number : used) {
      if (number >= 0) layout_.use(number, moment_);
    }
    step->barrier_after = barrier_after;
    if (barrier_after) ++moment_;
    plan_.steps_.push_back(std::move(step));
  }

  int bottleneck(const PackedBottleneck& block, Plane& plane, int x) {
    const Plane in = plane;
    const Plane wide = {block.ghost1.out(), in.height, in.width};
    const Plane hidden = strided(wide, wide.channels, block.stride);
    plane = {block.ghost2.out(), hidden.height, hidden.width};
    const bool squeezes = block.squeeze_excite.has_value();
    const bool strides = block.strided.has_value();
    const bool has_shortcut = block.shortcut.has_value();
    const int output = buffer(plane.count());
    const int sums = squeezes ? buffer(hidden.height * hidden.channels) : -1;

    int y = buffer(wide.count());
    add(std::make_unique<GhostModuleStep>(
            block.name + ".ghost1", block.ghost1, in,
            GhostModuleStep::Buffers{.input = x, .output = y, .row_sums = strides ? -1 : sums}, split_of(in)),
        {x, y, strides ? -1 : sums}, strides || !has_shortcut);
    if (strides) {
      const int narrow = buffer(hidden.count());
      add(std::make_unique<DepthwiseStep>(block.name + ".conv_dw", *block.strided, block.stride, wide, hidden,
                                          y, narrow, sums, split_of(hidden)),
          {y, narrow, sums}, !has_shortcut);
      y = narrow;
    }
    if (has_shortcut) {
      add(std::make_unique<ShortcutStep>(block.name + ".shortcut", *block.shortcut, block.stride, in, plane,
                                         x, output, split_of(plane)),
          {x, output});
    }
    int gate = -1;
    if (squeezes) {
      const PackedSqueezeExcite& weights = *block.squeeze_excite;
      const int squeezed = buffer(weights.reduce.columns);
      gate = buffer(weights.expand.columns);
      add(std::make_unique<SqueezeStep>(block.name + ".se.conv_reduce", weights.reduce, hidden, sums,
                                        squeezed),
          {sums, squeezed});
      add(std::make_unique<ExciteStep>(block.name + ".se.conv_expand", weights.expand, squeezed, gate),
          {squeezed, gate});
    }
    const int residual = has_shortcut ? output : x;
    add(std::make_unique<GhostModuleStep>(
            block.name + ".ghost2", block.ghost2, hidden,
            GhostModuleStep::Buffers{.input = y, .output = output, .gate = gate, .residual = residual},
            split_of(hidden)),
        {y, output, gate, residual});
    return output;
  }

  Plan& plan_;
  const PackedNetwork& network_;
  const cpu::Kernels& kernels_;
  ArenaLayout layout_;
  int buffers_ = 0;
  int moment_ = 0;
};

Plan::Plan(const PackedNetwork& network, const cpu::Kernels& kernels, const PlanKey& key) : key_(key) {
  const int64_t rest = key.batch % key.threads;
  // A team is worth its barriers only when it has more than one thread.
  team_size_ = rest == 0 ? 1 : static_cast<int>(key.threads / rest);
  single_images_ = team_size_ == 1 ? key.batch : key.batch - rest;
  Builder(*this, network, kernels).build();
  if (Profile::wanted()) make_profile(network);
  pooled_size_ = cpu::round_up(key.batch * network.last.columns + cpu::kReadableBehind, 16);
  features_size_ = cpu::round_up(key.batch * network.head.columns + cpu::kReadableBehind, 16);
}

void Plan::make_profile(const PackedNetwork& network) {
  profile_ = &Profile::titled(
      "batch " + std::to_string(key_.batch) + ", " + std::to_string(key_.height) + "x" +
      std::to_string(key_.width) + ", " +
      (key_.input == StemStep::Input::bytes_nhwc ? "uint8, " : "float32, ") + std::to_string(key_.threads) +
      (key_.threads == 1 ? " thread, " : " threads, ") + std::to_string(network.stem.columns) +
      " stem channels, " + std::to_string(steps_.size()) + " steps");
  if (!profile_->empty()) return;
  for (const auto& step : steps_) profile_->add_line(step->name(), step->multiply_adds(), step->bytes);
  const auto add = [&](const char* name, const cpu::PackedRows& weights) {
    const int64_t count = weights.depth * weights.columns;
    profile_->add_line(name, count, count * static_cast<int64_t>(sizeof(float)));
  };
  add("conv_head", network.head);
  add("classifier", network.classifier);
  profile_->add_line("waiting for each other", 0, 0);
}

int64_t Plan::size() const { return features() + features_size_; }

}  // namespace ghostnet
