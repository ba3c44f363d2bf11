#include "fuzz/jpeg_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "fuzz/jpeg_check.h"
#include "fuzz/jpeg_mutator.h"

namespace ghostnet::test {
namespace {

Tally met;

/** How an input is decoded. */
Trial trial_of(std::span<const uint8_t> input) {
  uint64_t seed = 0;
  for (const uint8_t byte : input.last(std::min<size_t>(input.size(), 8))) seed = seed << 8 | byte;
  Random random(seed);
  Trial trial;
  constexpr int64_t sizes[] = {32, 32, 48, 100};
  constexpr double crops[] = {1, 0.875, 0.8, 0.3};
  constexpr int64_t pixels[] = {10'000, 200'000, 2'000'000, 2'000'000, 50'000'000};
  constexpr int64_t bytes[] = {10'000, 1'000'000, 10'000'000, 256'000'000};
  trial.transform.input_size = random.pick(sizes);
  trial.transform.crop = random.pick(crops);
  trial.transform.interpolation = random.one_in(2) ? Interpolation::bilinear : Interpolation::bicubic;
  trial.options.decode = random.one_in(2) ? Decode::fast : Decode::exact;
  trial.options.max_pixels = random.pick(pixels);
  trial.options.max_coefficient_bytes = random.pick(bytes);
  return trial;
}

/** The first calls of each kind keep some memory, later ones must not. */
bool warm_up() {
  const std::vector<Bytes> corpus = jpeg_corpus();
  for (const Bytes& file : {corpus.front(), corpus.back()}) check_jpeg(file, {});
  return true;
}

void try_input(std::span<const uint8_t> input) {
  [[maybe_unused]] static const bool is_warm = warm_up();
  const Verdict verdict = check_jpeg(input, trial_of(input));
  ++met.outcomes[verdict.outcome];
  met.seconds = std::max(met.seconds, verdict.seconds);
  met.share_of_time = std::max(met.share_of_time, verdict.share_of_time);
  met.bytes = std::max(met.bytes, verdict.bytes);
  if (verdict.fault.empty()) return;
  std::fprintf(stderr, "%s\n", verdict.fault.c_str());
  std::abort();
}

}  // namespace

const Tally& tally() { return met; }

}  // namespace ghostnet::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ghostnet::test::try_input({data, size});
  return 0;
}
