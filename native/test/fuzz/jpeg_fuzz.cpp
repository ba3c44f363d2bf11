// jpeg_fuzz --runs N --seed S [--run I] [--failure <file>] [<JPEG file>...]
// Decodes N damaged files, made from sound ones of its own and from those that are given. The input of a run
// depends on the seed, the number of the run and the given files alone: --run I repeats one. The input at
// which a run fails is written to a file.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "fuzz/jpeg_check.h"
#include "fuzz/jpeg_mutator.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)());

namespace {

using namespace ghostnet;
using namespace ghostnet::test;

struct Arguments {
  uint64_t runs = 1000;
  uint64_t seed = 1;
  uint64_t first = 0;
  std::string failure = "jpeg-failure.jpg";
  std::vector<Bytes> files;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int index = 1; index < count; ++index) {
    const std::string_view name = values[index];
    const auto number = [&] { return index + 1 < count ? std::strtoull(values[++index], nullptr, 10) : 0; };
    if (name == "--runs") {
      arguments.runs = number();
    } else if (name == "--seed") {
      arguments.seed = number();
    } else if (name == "--run") {
      arguments.first = number();
      arguments.runs = 1;
    } else if (name == "--failure" && index + 1 < count) {
      arguments.failure = values[++index];
    } else {
      std::ifstream stream(values[index], std::ios::binary);
      arguments.files.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
  }
  return arguments;
}

Trial make_trial(Random& random) {
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

// For the callback, which has no arguments.
Bytes current;
std::string failure;
uint64_t current_run = 0;

void keep_failure() {
  std::ofstream(failure, std::ios::binary)
      .write(reinterpret_cast<const char*>(current.data()), static_cast<std::streamsize>(current.size()));
  std::printf("run %llu failed; its input is %s\n", static_cast<unsigned long long>(current_run),
              failure.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = parse(count, values);
  failure = arguments.failure;
  __sanitizer_set_death_callback(keep_failure);
  std::vector<Bytes> corpus = jpeg_corpus();
  // The first calls of each kind keep some memory, later ones must not.
  for (const Bytes& file : {corpus.front(), corpus.back()}) check_jpeg(file, {});
  corpus.insert(corpus.end(), arguments.files.begin(), arguments.files.end());
  std::map<std::string, int> outcomes;
  double seconds = 0, share = 0;
  int64_t bytes = 0;
  for (current_run = arguments.first; current_run < arguments.first + arguments.runs; ++current_run) {
    Random random(arguments.seed * 0x100000001b3 + current_run);
    // The first runs see the files as they are.
    current = current_run < corpus.size() ? corpus[current_run] : mutate_jpeg(corpus, random);
    const Verdict verdict = check_jpeg(current, make_trial(random));
    ++outcomes[verdict.outcome];
    seconds = std::max(seconds, verdict.seconds);
    share = std::max(share, verdict.share_of_time);
    bytes = std::max(bytes, verdict.bytes);
    if (!verdict.fault.empty()) {
      std::printf("%s\n", verdict.fault.c_str());
      keep_failure();
      return 1;
    }
  }
  std::printf("%llu files:", static_cast<unsigned long long>(arguments.runs));
  for (const auto& [outcome, times] : outcomes) std::printf(" %d %s,", times, outcome.c_str());
  std::printf(" at most %.2f s each (%.0f%% of the time allowed) and %.1f MB\n", seconds, share * 100,
              static_cast<double>(bytes) / 1e6);
  return 0;
}
