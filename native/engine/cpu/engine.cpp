#include "engine/cpu/engine.h"

#include <algorithm>
#include <atomic>

#include "engine/spin.h"
#include "engine/threads.h"

namespace ghostnet {

namespace {

/** One run, as seen by its threads. */
class Run {
 public:
  Run(const PackedNetwork& network, const Plan& plan, const Request& request, float* arena, float* result)
      : network_(network),
        plan_(plan),
        input_(static_cast<const std::byte*>(request.input.data)),
        arena_(arena),
        result_(result),
        normalisation_(normalisation_of(request.transform)),
        spin_(plan.key().threads) {}

  /** The images that a thread computes alone. It takes groups of them until none is left. */
  void images(int thread) {
    for (int64_t group = next_group_++; group < plan_.groups(); group = next_group_++) {
      run_alone(plan_.group(group), thread);
    }
  }

  /** All that the threads of the team share: the other images, and the head. */
  void rest(int number) {
    const PlanKey& key = plan_.key();
    if (plan_.single_images() < key.input.batch) {
      const int team = number / plan_.team_size();
      if (plan_.single_images() + team < key.input.batch) run_in_team(number, team);
      barrier_.wait(key.threads, spin_);
    }
    head(number);
  }

 private:
  StepContext context_of(const ImagePlan& plan, int64_t image, int slot, int thread, int rank,
                         int size) const {
    return {
        .input = input_ + image * plan_.key().input.bytes_per_image(),
        .normalisation = &normalisation_,
        .pooled = {arena_ + plan_.pooled() + image * network_.head.depth, network_.head.depth},
        .early = arena_ + plan_.early_of(slot),
        .late = {arena_ + plan_.late_of(slot), plan_.late_size()},
        .places = plan.places.data(),
        .scratch = arena_ + plan_.scratch_of(thread),
        .rank = rank,
        .size = size,
    };
  }

  void run_alone(cpu::Range images, int thread) {
    const ImagePlan& plan = plan_.single();
    const StepContext first = context_of(plan, images.begin, thread, thread, 0, 1);
    for (int64_t index = 0; index < images.size(); ++index) {
      StepContext context = first.image(index);
      context.input = input_ + (images.begin + index) * plan_.key().input.bytes_per_image();
      for (const auto& [step, rows] : plan.schedule) {
        const ProfileTimer timer(plan_.profile(), step);
        plan.row_step(step).run_rows(context, rows);
      }
      for (size_t step = plan.chained; step < plan.grouped; ++step) {
        const ProfileTimer timer(plan_.profile(), step);
        plan.steps[step]->run(context);
      }
    }
    for (size_t step = plan.grouped; step < plan.steps.size(); ++step) {
      const ProfileTimer timer(plan_.profile(), step);
      plan.steps[step]->run_group(first, images.size());
    }
  }

  void run_in_team(int thread, int team) {
    const ImagePlan& plan = plan_.team();
    const int size = plan_.team_size();
    const StepContext context =
        context_of(plan, plan_.single_images() + team, team, thread, thread % size, size);
    for (size_t index = 0; index < plan.steps.size(); ++index) {
      const Step& step = *plan.steps[index];
      {
        const ProfileTimer timer(plan_.profile(), index);
        step.run(context);
      }
      if (!step.barrier_after) continue;
      const ProfileTimer timer(plan_.profile(), plan_.waiting_line());
      team_barriers_[team].wait(size, spin_);
    }
  }

  // For all images together, so that these weights, most of the network, are read from memory once.
  void head(int number) {
    const PlanKey& key = plan_.key();
    const bool logits = key.output == Output::logits;
    float* const features = logits ? arena_ + plan_.features() : result_;
    {
      const ProfileTimer timer(plan_.profile(), plan_.head_line());
      run_rows(*network_.kernels.float32, network_.head,
               cpu::share_of(network_.head.panels, number, key.threads),
               {arena_ + plan_.pooled(), network_.head.depth}, key.input.batch, Activation::relu,
               {features, network_.head.columns});
    }
    if (!logits) return;
    barrier_.wait(key.threads, spin_);
    const ProfileTimer timer(plan_.profile(), plan_.classifier_line());
    run_rows(*network_.kernels.float32, network_.classifier,
             cpu::share_of(network_.classifier.panels, number, key.threads),
             {features, network_.head.columns}, key.input.batch, Activation::none,
             {result_, network_.classifier.columns});
  }

  const PackedNetwork& network_;
  const Plan& plan_;
  const std::byte* input_;
  float* arena_;
  float* result_;
  Normalisation normalisation_;
  Spin spin_;
  Barrier barrier_;
  // Teams have at least two threads.
  Barrier team_barriers_[kMaxThreads / 2];
  std::atomic<int64_t> next_group_{0};
};

}  // namespace

Engine::Engine(std::unique_ptr<const PackedNetwork> network, std::shared_ptr<Arena> arena)
    : network_(std::move(network)), arena_(std::move(arena)) {}

int64_t Engine::columns(Output output) const {
  return output == Output::logits ? network_->classifier.columns : network_->head.columns;
}

const Plan& Engine::plan_for(const PlanKey& key) {
  const auto found =
      std::find_if(plans_.begin(), plans_.end(), [&](const Plan& plan) { return plan.key() == key; });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
  } else {
    plans_.emplace_front(*network_, key);
    if (plans_.size() > kMaxPlans) plans_.pop_back();
  }
  return plans_.front();
}

void Engine::run(const Request& request, float* result) {
  Team& team = request.team;
  const Plan& plan = plan_for({input_shape_of(request.input), request.output, team.size(), team.limit()});
  auto* const arena =
      reinterpret_cast<float*>(arena_->reserve(static_cast<size_t>(plan.size()) * sizeof(float)));
  Run run(*network_, plan, request, arena, result);
  if (plan.groups() > 0) {
    team.run_open([](void* context, int thread) { static_cast<Run*>(context)->images(thread); }, &run);
  }
  team.run([](void* context, int number) { static_cast<Run*>(context)->rest(number); }, &run);
  if (plan.profile() != nullptr) plan.profile()->count_images(plan.key().input.batch);
}

}  // namespace ghostnet
