#include "engine/cpu/plan.h"

#include <algorithm>

namespace ghostnet {

Plan::Plan(const PackedNetwork& network, const PlanKey& key) : key_(key) {
  const int64_t batch = key.input.batch;
  const int64_t rest = batch % key.threads;
  // A team of one thread is not worth its barriers.
  team_size_ = rest == 0 ? 1 : static_cast<int>(key.threads / rest);
  single_images_ = team_size_ == 1 ? batch : batch - rest;
  divide();
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

void Plan::divide() {
  if (key_.limit > key_.threads) {
    // Nobody knows how many threads there will be.
    for (int64_t left = single_images_; left > 0;) {
      left -= std::clamp<int64_t>(left / key_.limit, 1, kMaxGroup);
      ends_.push_back(single_images_ - left);
    }
  } else {
    // In rounds of similar size, as are the groups of a round, so that no thread waits long at the end.
    const int64_t in_round = key_.threads * kMaxGroup;
    const auto rounds = static_cast<int>((single_images_ + in_round - 1) / in_round);
    for (int round = 0; round < rounds; ++round) {
      const cpu::Range images = cpu::share_of(single_images_, round, rounds);
      for (int thread = 0; thread < key_.threads; ++thread) {
        ends_.push_back(images.begin + cpu::share_of(images.size(), thread, key_.threads).end);
      }
    }
  }
  for (int64_t index = 0; index < groups(); ++index) {
    group_size_ = std::max(group_size_, group(index).size());
  }
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
