/**
 * How one image is computed, by one thread or by a team: the steps, where their buffers lie, in which order
 * rows are made.
 */
#pragma once

#include <memory>
#include <vector>

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** The steps of an image and the buffers that they use. */
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
   * row; more: the threads of a team share each step
   */
  ImagePlan(PlannedSteps planned, int team_size);

  /** Some rows of one of the first steps. */
  struct Rows {
    size_t step;
    cpu::Range rows;
  };

  const std::vector<std::unique_ptr<Step>>& steps() const { return steps_; }
  /** The steps that are computed row by row: the first `chained` ones, in this order. */
  size_t chained() const { return chained_; }
  const std::vector<Rows>& schedule() const { return schedule_; }
  /** The steps from this one on are computed for a group of images together: their planes are small beside
   * their weights. All steps are before it in the plan of a team. */
  size_t grouped() const { return grouped_; }
  const RowStep& row_step(size_t index) const { return static_cast<const RowStep&>(*steps_[index]); }

  const BufferPlace* places() const { return places_.data(); }
  int64_t early_size() const { return early_size_; }      ///< floats of buffers that images share in turn
  int64_t late_size() const { return late_size_; }        ///< floats of buffers of each image of a group
  int64_t scratch_size() const { return scratch_size_; }  ///< floats of each thread

 private:
  class Layout;

  std::vector<std::unique_ptr<Step>> steps_;
  size_t chained_ = 0, grouped_ = 0;
  std::vector<Rows> schedule_;
  std::vector<BufferPlace> places_;
  int64_t early_size_ = 0, late_size_ = 0, scratch_size_ = 0;
};

}  // namespace ghostnet
