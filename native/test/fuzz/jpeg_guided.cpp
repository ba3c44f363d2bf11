// With libFuzzer's main(): half of its inputs are changed as libFuzzer changes them, half where it matters
// for a JPEG.
#include <algorithm>

#include "fuzz/jpeg_mutator.h"
#include "fuzz/jpeg_target.h"

extern "C" {

size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed);
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  using namespace ghostnet::test;
  static const std::vector<Bytes> corpus = jpeg_corpus();
  Random random(seed);
  if (random.one_in(2) || size == 0) return LLVMFuzzerMutate(data, size, max_size);
  Bytes file(data, data + size);
  damage_jpeg(file, corpus, random);
  file.resize(std::min(file.size(), max_size));
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
