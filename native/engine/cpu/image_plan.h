/**
 * How one thread or a team computes one image: the steps, the places of their buffers, the order of the rows.
 */
#pragma once

#include <memory>
#include <vector>

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** The steps of an image, and their buffers. */
struct PlannedSteps {
  struct Buffer {
    int64_t row;  ///< bytes
    int64_t height, ring;
  };
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<std::vector<int>> used;  ///< buffers of each step
  std::vector<Buffer> buffers;
  int64_t value_size = 0;  ///< bytes of an activation
};

class ImagePlan {
 public:
  /**
   * @param team_size 1: the first steps, whose planes are too large for a cache, follow each other row by
   * row; above 1: the threads of a team share each step
   */
  ImagePlan(PlannedSteps planned, int team_size);

  /** Some rows of one of the first steps. */
  struct Rows {
    size_t step;
    cpu::Range rows;
  };

  const std::vector<std::unique_ptr<Step>>& steps() const { return steps_; }
  /** The order in which the first `chained` steps are computed, row by row. */
  size_t chained() const { return chained_; }
  const std::vector<Rows>& schedule() const { return schedule_; }
  /** The steps from here on are computed for a group of images together: their planes are small compared with
   * their weights. In the plan of a team, no step is. */
  size_t grouped() const { return grouped_; }
  const RowStep& row_step(size_t index) const { return static_cast<const RowStep&>(*steps_[index]); }

  const BufferPlace* places() const { return places_.data(); }
  int64_t early_size() const { return early_size_; }      ///< floats of the buffers that images use in turn
  int64_t late_size() const { return late_size_; }        ///< floats of the buffers of each image in a group
  int64_t scratch_size() const { return scratch_size_; }  ///< floats per thread

 private:
  class Layout;

  std::vector<std::unique_ptr<Step>> steps_;
  size_t chained_ = 0, grouped_ = 0;
  std::vector<Rows> schedule_;
  std::vector<BufferPlace> places_;
  int64_t early_size_ = 0, late_size_ = 0, scratch_size_ = 0;
};

}  // namespace ghostnet
