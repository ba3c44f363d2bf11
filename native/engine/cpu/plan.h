/**
 * All properties of a run that follow from the shape of its input: how its images are computed, by which
 * threads, in which memory.
 */
#pragma once

#include <optional>
#include <vector>

#include "engine/cpu/packed_network.h"
#include "engine/profile.h"
#include "engine/runner.h"

namespace ghostnet {

/** The input of a plan. */
struct PlanKey {
  InputShape input;
  Output output;
  int threads;  ///< of the team
  int limit;    ///< threads that may compute images, those included that join later

  bool operator==(const PlanKey&) const = default;
};

class Plan {
 public:
  Plan(const PackedNetwork& network, const PlanKey& key);

  const PlanKey& key() const { return key_; }

  /**
   * Images that are computed by one thread each. The rest of the batch, if at most half as many images as
   * threads, is computed by teams, one team per image.
   */
  int64_t single_images() const { return single_images_; }
  /**
   * A thread computes several of them together: group 0, 1, ... The groups become smaller if threads may
   * join, so that all finish at about the same time.
   */
  int64_t groups() const { return static_cast<int64_t>(ends_.size()); }
  cpu::Range group(int64_t index) const {
    return {index == 0 ? 0 : ends_[static_cast<size_t>(index) - 1], ends_[static_cast<size_t>(index)]};
  }
  /** Threads in each team. */
  int team_size() const { return team_size_; }

  const ImagePlan& single() const { return *single_; }
  const ImagePlan& team() const { return *team_; }

  /** Null unless profiles are enabled. Its first lines are those of the steps. */
  Profile* profile() const { return profile_; }
  size_t head_line() const { return step_count(); }
  size_t classifier_line() const { return step_count() + 1; }
  /** The line for waiting between steps. */
  size_t waiting_line() const { return step_count() + 2; }

  /**
   * The arena, in floats: the buffers of each team, or of each thread that computes images alone, the scratch
   * memory of each thread, and the rows of the head.
   */
  int64_t size() const;
  int64_t early_of(int slot) const { return slot * buffers_size(); }
  int64_t late_of(int slot) const { return early_of(slot) + early_size_; }
  /** The distance from the late buffers of an image to those of the next image of its group. */
  int64_t late_size() const { return late_size_; }
  int64_t scratch_of(int thread) const {
    return early_of(static_cast<int>(slots())) + thread * scratch_size_;
  }
  int64_t pooled() const { return scratch_of(key_.limit); }
  int64_t features() const { return pooled() + pooled_size_; }

 private:
  const ImagePlan& any() const { return single_ ? *single_ : *team_; }
  size_t step_count() const { return any().steps.size(); }
  int64_t buffers_size() const { return early_size_ + group_size_ * late_size_; }
  // Any thread may compute images alone.
  int64_t slots() const { return single_images_ > 0 ? key_.limit : key_.input.batch; }
  void divide();
  void make_profile(const PackedNetwork& network);

  PlanKey key_;
  int64_t single_images_ = 0;
  std::vector<int64_t> ends_;  ///< of the groups
  int64_t group_size_ = 1;     ///< images in the largest group
  int team_size_ = 1;
  std::optional<ImagePlan> single_, team_;
  Profile* profile_ = nullptr;
  int64_t early_size_ = 0, late_size_ = 0, scratch_size_ = 0, pooled_size_ = 0, features_size_ = 0;
};

}  // namespace ghostnet
