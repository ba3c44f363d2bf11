#include "engine/image_plan.h"

#include <algorithm>

#include "engine/arena.h"

namespace ghostnet {

namespace {

// A plane of this many bytes does not stay in a second-level cache between two steps.
constexpr int64_t kLargePlane = 256 * 1024;

// A step of a plane of so many pixels reads about as many weights as activations, or more.
constexpr int64_t kSmallPlane = 64;

// Pixels of the last chained step that are made at a time.
constexpr int64_t kChainPixels = 56;

}  // namespace

/** Follows an image through the network, and notes the steps and which buffers each uses. */
template <typename Value>
class ImagePlan::Builder {
 public:
  Builder(ImagePlan& plan, const PackedNetwork& network, const cpu::Kernels& kernels, int team_size)
      : plan_(plan), network_(network), kernels_(kernels), team_size_(team_size) {}

  void build(Input input, int64_t height, int64_t width) {
    const Plane image = {3, height, width};
    Plane plane = strided(image, network_.stem.columns, 2);
    int x = buffer(plane);
    add(std::make_unique<StemStep<Value>>(network_.stem, input, image, plane, x), {x});
    for (const PackedBottleneck& block : network_.blocks) x = bottleneck(block, plane, x);
    add(std::make_unique<LastStep<Value>>("last 1x1 and mean", network_.last, plane, x), {x});
    plan_.grouped_ = plan_.steps_.size();
    if (team_size_ == 1) {
      chain();
      group();
    }
    place();
    for (const auto& step : plan_.steps_) {
      plan_.scratch_size_ =
          std::max(plan_.scratch_size_, cpu::round_up(floats_in(step->scratch(kernels_)), 16));
    }
  }

 private:
  struct Buffer {
    int64_t row;  ///< bytes
    int64_t height, ring;
  };

  static constexpr int64_t kValue = sizeof(Value);

  static int64_t floats_in(int64_t bytes) {
    constexpr int64_t kFloat = sizeof(float);
    return cpu::round_up(bytes, kFloat) / kFloat;
  }

  static Plane strided(const Plane& plane, int64_t channels, int64_t stride) {
    return {channels, (plane.height - 1) / stride + 1, (plane.width - 1) / stride + 1};
  }

  // Rows, as long as the one above and below that each thread has to make for itself are few beside its own;
  // else channels.
  Split split_of(const Plane& plane) const {
    constexpr int64_t kRowsWorthSplitting = 7;
    return plane.height >= kRowsWorthSplitting * team_size_ ? Split::rows : Split::channels;
  }

  int buffer(const Plane& plane, int64_t value_size = kValue) {
    buffers_.push_back({plane.row() * value_size, plane.height, plane.height});
    return static_cast<int>(buffers_.size()) - 1;
  }

  void add(std::unique_ptr<Step> step, std::vector<int> used, bool barrier_after = true) {
    step->barrier_after = barrier_after;
    plan_.steps_.push_back(std::move(step));
    std::erase(used, -1);
    used_.push_back(std::move(used));
  }

  void add_ghost_module(const std::string& name, const cpu::PackedGhostModule& module, const Plane& in,
                        GhostModuleBuffers buffers, bool barrier_after = true) {
    if (team_size_ == 1 && keeps_rows(kernels_, module, buffers.residual >= 0)) {
      buffers.kept = static_cast<int>(buffers_.size());
      buffers_.push_back(
          {kept_row_size(kernels_, module, in.width) * kValue, in.height, 0});  // only where it is chained
    }
    add(std::make_unique<GhostModuleStep<Value>>(name, module, in, buffers, split_of(in)),
        {buffers.input, buffers.output, buffers.gate, buffers.residual, buffers.row_sums, buffers.kept},
        barrier_after);
  }

  int bottleneck(const PackedBottleneck& block, Plane& plane, int x) {
    const Plane in = plane;
    const Plane wide = {block.ghost1.out(), in.height, in.width};
    const Plane hidden = strided(wide, wide.channels, block.stride);
    plane = {block.ghost2.out(), hidden.height, hidden.width};
    const bool squeezes = block.squeeze_excite.has_value();
    const bool strides = block.strided.has_value();
    const bool has_shortcut = block.shortcut.has_value();
    const int output = buffer(plane);
    const int sums = squeezes ? buffer({hidden.channels, hidden.height, 1}, sizeof(float)) : -1;

    int y = buffer(wide);
    add_ghost_module(block.name + ".ghost1", block.ghost1, in,
                     {.input = x, .output = y, .row_sums = strides ? -1 : sums}, strides || !has_shortcut);
    if (strides) {
      const int narrow = buffer(hidden);
      add(std::make_unique<DepthwiseStep<Value>>(block.name + ".conv_dw", *block.strided, block.stride, wide,
                                                 hidden, y, narrow, sums, split_of(hidden)),
          {y, narrow, sums}, !has_shortcut);
      y = narrow;
    }
    if (has_shortcut) {
      add(std::make_unique<ShortcutStep<Value>>(block.name + ".shortcut", *block.shortcut, block.stride, in,
                                                plane, x, output, split_of(plane)),
          {x, output});
    }
    int gate = -1;
    if (squeezes) {
      const PackedSqueezeExcite& weights = *block.squeeze_excite;
      const int squeezed = buffer({weights.reduce.columns, 1, 1}, sizeof(float));
      gate = buffer({weights.expand.columns, 1, 1}, sizeof(float));
      add(std::make_unique<SqueezeStep>(block.name + ".se.conv_reduce", weights.reduce, hidden, sums,
                                        squeezed),
          {sums, squeezed});
      add(std::make_unique<ExciteStep>(block.name + ".se.conv_expand", weights.expand, squeezed, gate),
          {squeezed, gate});
    }
    add_ghost_module(block.name + ".ghost2", block.ghost2, hidden,
                     {.input = y, .output = output, .gate = gate, .residual = has_shortcut ? output : x});
    return output;
  }

  // The first steps up to the last one before squeeze-and-excitation, which needs all rows, that reads or
  // writes a large plane.
  void chain() {
    std::vector<const RowStep*> steps;
    for (const auto& step : plan_.steps_) {
      const auto* rows = dynamic_cast<const RowStep*>(step.get());
      if (rows == nullptr) break;
      steps.push_back(rows);
      if (std::max(rows->in().count(), rows->out().count()) * kValue >= kLargePlane)
        plan_.chained_ = steps.size();
    }
    steps.resize(plan_.chained_);
    if (steps.empty()) return;

    const Plane& last = steps.back()->out();
    const int64_t rows = std::max<int64_t>(1, kChainPixels / last.width);
    const int64_t chunks = (last.height + rows - 1) / rows;
    std::vector<int64_t> done(steps.size(), 0);
    for (int64_t chunk = 1; chunk <= chunks; ++chunk) {
      const std::vector<int64_t> goals = goals_of(steps, chunk, chunks);
      widen_rings(steps, done, goals);
      for (size_t index = 0; index < steps.size(); ++index) {
        if (goals[index] > done[index]) plan_.schedule_.push_back({index, {done[index], goals[index]}});
      }
      done = goals;
    }
  }

  // How many rows of each step must be there at the end of a chunk: what the steps behind it need then, or a
  // share of all where none reads it row by row.
  std::vector<int64_t> goals_of(const std::vector<const RowStep*>& steps, int64_t chunk,
                                int64_t chunks) const {
    std::vector<int64_t> goals(steps.size());
    for (size_t index = steps.size(); index-- > 0;) {
      const int64_t height = steps[index]->out().height;
      int64_t goal = -1;
      for (size_t reader = index + 1; reader < steps.size(); ++reader) {
        if (goals[reader] == 0) continue;
        for (const RowStep::Need& need : steps[reader]->needs({0, goals[reader]})) {
          if (need.buffer == steps[index]->output()) goal = std::max(goal, need.rows.end);
        }
      }
      if (goal < 0) goal = (height * chunk + chunks - 1) / chunks;
      goals[index] = chunk == chunks ? height : goal;
    }
    return goals;
  }

  // Each ring holds from the oldest row that is still read in this chunk to the newest that is written.
  void widen_rings(const std::vector<const RowStep*>& steps, const std::vector<int64_t>& done,
                   const std::vector<int64_t>& goals) {
    std::vector<int64_t> oldest(buffers_.size());
    std::vector<int64_t> newest(buffers_.size(), 0);
    for (size_t index = 0; index < buffers_.size(); ++index) oldest[index] = buffers_[index].height;
    for (size_t index = 0; index < steps.size(); ++index) {
      const RowStep& step = *steps[index];
      const int64_t height = step.out().height;
      if (done[index] == height) continue;
      const auto note = [&](int number, const cpu::Range& rows) {
        oldest[static_cast<size_t>(number)] = std::min(oldest[static_cast<size_t>(number)], rows.begin);
        newest[static_cast<size_t>(number)] = std::max(newest[static_cast<size_t>(number)], rows.end);
      };
      for (const auto& need : step.needs({done[index], std::max(goals[index], done[index] + 1)})) {
        note(need.buffer, need.rows);
      }
      note(step.output(), {done[index], std::min(goals[index] + step.ahead(), height)});
    }
    if (rings_.empty()) rings_.resize(buffers_.size(), 0);
    for (size_t index = 0; index < buffers_.size(); ++index) {
      rings_[index] = std::max(rings_[index], newest[index] - oldest[index]);
    }
  }

  // The last steps, from the first one on behind which all planes are small.
  void group() {
    while (plan_.grouped_ > plan_.chained_) {
      const auto* rows = dynamic_cast<const RowStep*>(plan_.steps_[plan_.grouped_ - 1].get());
      if (rows != nullptr && rows->in().height * rows->in().width > kSmallPlane) break;
      --plan_.grouped_;
    }
  }

  void place() {
    // A buffer that a later step reads is whole.
    for (size_t index = plan_.chained_; index < used_.size(); ++index) {
      for (const int number : used_[index]) {
        if (!rings_.empty()) rings_[static_cast<size_t>(number)] = 0;
      }
    }
    std::vector<bool> late(buffers_.size(), false);
    for (size_t index = plan_.grouped_; index < used_.size(); ++index) {
      for (const int number : used_[index]) late[static_cast<size_t>(number)] = true;
    }
    // A buffer takes no room in the layout that it is not in.
    ArenaLayout early_layout;
    ArenaLayout late_layout;
    for (size_t index = 0; index < buffers_.size(); ++index) {
      Buffer& buffer = buffers_[index];
      if (!rings_.empty() && rings_[index] > 0) buffer.ring = std::min(rings_[index], buffer.height);
      const int64_t size = floats_in(buffer.row * buffer.ring);
      early_layout.add(late[index] ? 0 : size);
      late_layout.add(late[index] ? size : 0);
    }
    // Steps that are chained, or have no barrier between them, run at the same time.
    int moment = 0;
    for (size_t index = 0; index < used_.size(); ++index) {
      for (const int number : used_[index]) {
        (late[static_cast<size_t>(number)] ? late_layout : early_layout).use(number, moment);
      }
      if (index + 1 >= plan_.chained_ && plan_.steps_[index]->barrier_after) ++moment;
    }
    plan_.early_size_ = early_layout.place();
    plan_.late_size_ = late_layout.place();
    for (size_t index = 0; index < buffers_.size(); ++index) {
      const ArenaLayout& layout = late[index] ? late_layout : early_layout;
      plan_.places_.push_back({late[index], layout.offset(static_cast<int>(index)), buffers_[index].ring});
    }
  }

  ImagePlan& plan_;
  const PackedNetwork& network_;
  const cpu::Kernels& kernels_;
  int team_size_;
  std::vector<Buffer> buffers_;
  std::vector<std::vector<int>> used_;  ///< buffers of each step
  std::vector<int64_t> rings_;          ///< rows of each buffer that the chain keeps
};

ImagePlan::ImagePlan(const PackedNetwork& network, const cpu::Kernels& kernels, Input input, int64_t height,
                     int64_t width, int team_size) {
  if (network.precision == Precision::bfloat16) {
    Builder<cpu::BFloat16>(*this, network, kernels, team_size).build(input, height, width);
  } else {
    Builder<float>(*this, network, kernels, team_size).build(input, height, width);
  }
}

}  // namespace ghostnet
