#include "engine/cpu/image_plan.h"

#include <algorithm>

#include "engine/arena.h"

namespace ghostnet {

namespace {

// A plane of this many bytes does not stay in a second-level cache between two steps.
constexpr int64_t kLargePlane = 256 * 1024;

// In a plane of this many pixels or fewer, a step reads about as many weights as activations, or more.
constexpr int64_t kSmallPlane = 64;

// Pixels of the last chained step that are computed at a time.
constexpr int64_t kChainPixels = 56;

int64_t floats_in(int64_t bytes) {
  constexpr int64_t kFloat = sizeof(float);
  return cpu::round_up(bytes, kFloat) / kFloat;
}

}  // namespace

/** Decides the order of the rows and the places of the buffers. */
class ImagePlan::Layout {
 public:
  Layout(ImagePlan& plan, PlannedSteps& planned)
      : plan_(plan), used_(planned.used), buffers_(planned.buffers), value_size_(planned.value_size) {}

  // The first steps, up to the last step that reads or writes a large plane, but not beyond
  // squeeze-and-excitation, which needs all rows.
  void chain() {
    std::vector<const RowStep*> steps;
    for (const auto& step : plan_.steps) {
      const auto* rows = dynamic_cast<const RowStep*>(step.get());
      if (rows == nullptr) break;
      steps.push_back(rows);
      if (std::max(rows->in().count(), rows->out().count()) * value_size_ >= kLargePlane)
        plan_.chained = steps.size();
    }
    steps.resize(plan_.chained);
    if (steps.empty()) return;

    const Plane& last = steps.back()->out();
    const int64_t rows = std::max<int64_t>(1, kChainPixels / last.width);
    const int64_t chunks = (last.height + rows - 1) / rows;
    std::vector<int64_t> done(steps.size(), 0);
    for (int64_t chunk = 1; chunk <= chunks; ++chunk) {
      const std::vector<int64_t> goals = goals_of(steps, chunk, chunks);
      widen_rings(steps, done, goals);
      for (size_t index = 0; index < steps.size(); ++index) {
        if (goals[index] > done[index]) plan_.schedule.push_back({index, {done[index], goals[index]}});
      }
      done = goals;
    }
  }

  // The rows of each step that must exist at the end of a chunk: those that the steps after it need then, or
  // a share of all rows if no step reads it row by row.
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

  // Each ring holds the rows from the oldest that this chunk still reads to the newest that it writes.
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

  // The last steps: all planes after the first of them are small.
  void group() {
    while (plan_.grouped > plan_.chained) {
      const auto* rows = dynamic_cast<const RowStep*>(plan_.steps[plan_.grouped - 1].get());
      if (rows != nullptr && rows->in().height * rows->in().width > kSmallPlane) break;
      --plan_.grouped;
    }
  }

  void place() {
    // A buffer that a later step reads is whole.
    for (size_t index = plan_.chained; index < used_.size(); ++index) {
      for (const int number : used_[index]) {
        if (!rings_.empty()) rings_[static_cast<size_t>(number)] = 0;
      }
    }
    std::vector<bool> late(buffers_.size(), false);
    for (size_t index = plan_.grouped; index < used_.size(); ++index) {
      for (const int number : used_[index]) late[static_cast<size_t>(number)] = true;
    }
    // A buffer needs no space in the other layout.
    ArenaLayout early_layout;
    ArenaLayout late_layout;
    for (size_t index = 0; index < buffers_.size(); ++index) {
      PlannedSteps::Buffer& buffer = buffers_[index];
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
      if (index + 1 >= plan_.chained && plan_.steps[index]->barrier_after) ++moment;
    }
    plan_.early_size = early_layout.place();
    plan_.late_size = late_layout.place();
    for (size_t index = 0; index < buffers_.size(); ++index) {
      const ArenaLayout& layout = late[index] ? late_layout : early_layout;
      plan_.places.push_back({late[index], layout.offset(static_cast<int>(index)), buffers_[index].ring});
    }
  }

  ImagePlan& plan_;
  const std::vector<std::vector<int>>& used_;
  std::vector<PlannedSteps::Buffer>& buffers_;
  int64_t value_size_;
  std::vector<int64_t> rings_;  ///< number of rows of each buffer that the chain keeps
};

ImagePlan::ImagePlan(PlannedSteps planned, int team_size) : steps(std::move(planned.steps)) {
  grouped = steps.size();
  Layout layout(*this, planned);
  if (team_size == 1) {
    layout.chain();
    layout.group();
  }
  layout.place();
  for (const auto& step : steps) {
    scratch_size = std::max(scratch_size, cpu::round_up(floats_in(step->scratch), 16));
  }
}

}  // namespace ghostnet
