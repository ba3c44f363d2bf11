/**
 * What both fuzzers call: jpeg_fuzz, which makes inputs of its own, and libFuzzer, which is guided by what
 * they reach.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

/**
 * Decodes an input in a way that its last bytes choose, so that the input alone repeats a failure. Ends the
 * process with SIGABRT if something does not hold; see check_jpeg.
 */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace ghostnet::test {

/** What all inputs of a process met. */
struct Tally {
  std::map<std::string, uint64_t> outcomes;
  double seconds = 0;        ///< the longest, of the processor
  double share_of_time = 0;  ///< the largest share of the time that was allowed
  int64_t bytes = 0;         ///< the most that were allocated at a time
};

const Tally& tally();

}  // namespace ghostnet::test
