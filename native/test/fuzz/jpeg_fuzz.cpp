// jpeg_fuzz --runs N --seed S [--first I] [--failure <file>] [<JPEG file>...]
//   Decodes N damaged files, made from sound ones of its own and from those that are given. The input of a
//   run depends on the seed, the number of the run and the given files alone: --first I --runs 1 repeats one.
//   The input at which a run fails is written to a file.
// jpeg_fuzz --input <file>    decodes one input as it is.
// jpeg_fuzz --corpus <folder> writes the sound files of its own, for libFuzzer to begin with.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "fuzz/jpeg_mutator.h"
#include "fuzz/jpeg_target.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)());

namespace {

using namespace ghostnet::test;

struct Arguments {
  uint64_t runs = 1000;
  uint64_t seed = 1;
  uint64_t first = 0;
  std::string failure = "jpeg-failure.jpg";
  std::string corpus;
  bool is_input = false;  ///< whether the file is to be decoded as it is
  std::vector<Bytes> files;
};

Bytes read(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int index = 1; index < count; ++index) {
    const std::string_view name = values[index];
    const auto number = [&] { return index + 1 < count ? std::strtoull(values[++index], nullptr, 10) : 0; };
    if (name == "--runs") {
      arguments.runs = number();
    } else if (name == "--seed") {
      arguments.seed = number();
    } else if (name == "--first") {
      arguments.first = number();
    } else if (name == "--failure" && index + 1 < count) {
      arguments.failure = values[++index];
    } else if (name == "--corpus" && index + 1 < count) {
      arguments.corpus = values[++index];
    } else if (name == "--input") {
      arguments.is_input = true;
    } else {
      arguments.files.push_back(read(values[index]));
    }
  }
  return arguments;
}

// For the callbacks, which have no arguments of ours.
Bytes current;
std::string failure;
uint64_t current_run = 0;

void keep_failure() {
  write(failure, current);
  std::printf("run %llu failed; its input is %s\n", static_cast<unsigned long long>(current_run),
              failure.c_str());
  std::fflush(stdout);
}

void run_all(const Arguments& arguments) {
  failure = arguments.failure;
  __sanitizer_set_death_callback(keep_failure);
  std::signal(SIGABRT, [](int) { keep_failure(); });
  std::vector<Bytes> corpus = jpeg_corpus();
  corpus.insert(corpus.end(), arguments.files.begin(), arguments.files.end());
  for (current_run = arguments.first; current_run < arguments.first + arguments.runs; ++current_run) {
    Random random(arguments.seed * 0x100000001b3 + current_run);
    // The first runs see the files as they are.
    current = current_run < corpus.size() ? corpus[current_run] : mutate_jpeg(corpus, random);
    LLVMFuzzerTestOneInput(current.data(), current.size());
  }
  std::printf("%llu files:", static_cast<unsigned long long>(arguments.runs));
  for (const auto& [outcome, times] : tally().outcomes) {
    std::printf(" %llu %s,", static_cast<unsigned long long>(times), outcome.c_str());
  }
  std::printf(" at most %.2f s each (%.0f%% of the time allowed) and %.1f MB\n", tally().seconds,
              tally().share_of_time * 100, static_cast<double>(tally().bytes) / 1e6);
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = parse(count, values);
  if (!arguments.corpus.empty()) {
    int number = 0;
    for (const Bytes& file : jpeg_corpus())
      write(arguments.corpus + "/" + std::to_string(number++) + ".jpg", file);
  } else if (arguments.is_input) {
    for (const Bytes& file : arguments.files) LLVMFuzzerTestOneInput(file.data(), file.size());
  } else {
    run_all(arguments);
  }
  return 0;
}
