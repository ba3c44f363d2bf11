#include "engine/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "kernels/cpu/kernel_table.h"

namespace ghostnet {

namespace {

constexpr int64_t kRounds = 400'000;  // a few milliseconds
constexpr int kTrials = 10;

struct Trial {
  const cpu::Float32Kernels& kernels;
  std::atomic<int64_t> multiply_adds{0};

  static void run(void* context, int) {
    auto& trial = *static_cast<Trial*>(context);
    // Factors next to 1 and a small term keep every value in the normal range.
    alignas(64) float memory[2 * 16];
    std::fill_n(memory, 16, 0.999f);
    std::fill_n(memory + 16, 16, 0.001f);
    std::fill_n(memory + trial.kernels.lanes, trial.kernels.lanes, 0.001f);
    trial.multiply_adds += trial.kernels.multiply_add_rounds(kRounds, memory);
  }
};

}  // namespace

double measure_peak(Team& team) {
  double best = 0;
  for (int number = 0; number < kTrials; ++number) {
    Trial trial{*cpu::kernels_of(cpu::chosen_capability()).float32};
    const auto start = std::chrono::steady_clock::now();
    team.run(Trial::run, &trial);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(trial.multiply_adds) / took.count());
  }
  return best;
}

}  // namespace ghostnet
