#include "engine/cpu/plan.h"

#include <algorithm>

namespace ghostnet {

Plan::Plan(const PackedNetwork& network, const PlanKey& key) : key_(key) {
  const int64_t batch = key.input.batch;
  const int64_t rest = batch % key.threads;
  // A team of one thread is not worth its barriers.
  team_size_ = rest == 0 ? 1 : static_cast<int>(key.threads / rest);
  single_images_ = team_size_ == 1 ? batch : batch - rest;
  const auto share_of_images = [&](int64_t parts) { return (single_images_ + parts - 1) / parts; };
  rounds_ = share_of_images(key.threads * kMaxGroup);
  if (rounds_ > 0) group_size_ = share_of_images(key.threads * rounds_);
  const auto make = [&](std::optional<ImagePlan>& plan, int team_size) {
    plan.emplace(network.plan(key.input.dtype, key.input.height, key.input.width, team_size));
    early_size_ = std::max(early_size_, plan->early_size);
    late_size_ = std::max(late_size_, plan->late_size);
    scratch_size_ = std::max(scratch_size_, plan->scratch_size);
  };
  if (single_images_ > 0) make(single_, 1);
  if (single_images_ < batch) make(team_, team_size_);
  pooled_size_ = cpu::round_up(batch * network.head.depth + cpu::kReadableBehind, 16);
  features_size_ = cpu::round_up(batch * network.head.columns + cpu::kReadableBehind, 16);
  if (Profile::wanted()) make_profile(network);
}

// The rounds are of similar size, and so are the groups of a round, so that no thread waits long at the end.
cpu::Range Plan::group(int64_t index) const {
  const cpu::Range round =
      cpu::share_of(single_images_, static_cast<int>(index / key_.threads), static_cast<int>(rounds_));
  const cpu::Range share = cpu::share_of(round.size(), static_cast<int>(index % key_.threads), key_.threads);
  return {round.begin + share.begin, round.begin + share.end};
}

void Plan::make_profile(const PackedNetwork& network) {
  const InputShape& input = key_.input;
  const std::string precision =
      network.precision == Precision::float32 ? "" : std::string("in ") + name_of(network.precision) + ", ";
  profile_ =
      &Profile::titled("batch " + std::to_string(input.batch) + ", " + std::to_string(input.height) + "x" +
                       std::to_string(input.width) + ", " + name_of(input.dtype) + ", " + precision +
                       std::to_string(key_.threads) + (key_.threads == 1 ? " thread, " : " threads, ") +
                       std::to_string(network.architecture.stem_channels()) + " stem channels, " +
                       std::to_string(step_count()) + " steps");
  if (!profile_->empty()) return;
  for (const auto& step : any().steps) profile_->add_line(step->name(), step->multiply_adds(), step->bytes);
  const auto add = [&](const char* name, const cpu::PackedRows& weights) {
    const int64_t count = weights.weight_count();
    profile_->add_line(name, count, count * static_cast<int64_t>(sizeof(float)));
  };
  add("conv_head", network.head);
  add("classifier", network.classifier);
  profile_->add_line("waiting for each other", 0, 0);
}

int64_t Plan::size() const { return features() + features_size_; }

}  // namespace ghostnet
