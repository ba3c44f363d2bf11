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

struct ImagePlan {
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

  const RowStep& row_step(size_t index) const { return static_cast<const RowStep&>(*steps[index]); }

  std::vector<std::unique_ptr<Step>> steps;
  /** The steps that are computed row by row: the first `chained` ones, in the order of the schedule. */
  size_t chained = 0;
  std::vector<Rows> schedule = {};
  /** The steps from this one on are computed for a group of images together: their planes are small beside
   * their weights. All steps are before it in the plan of a team. */
  size_t grouped = 0;
  std::vector<BufferPlace> places = {};
  int64_t early_size = 0;    ///< floats of buffers that images share in turn
  int64_t late_size = 0;     ///< floats of buffers of each image of a group
  int64_t scratch_size = 0;  ///< floats of each thread

 private:
  class Layout;
};

}  // namespace ghostnet
