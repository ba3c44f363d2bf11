#pragma once

#include <cstdint>

namespace ghostnet {

/** What random numbers are drawn for. Each has a stream of its own. */
enum class Draw : uint64_t { order = 1, sample = 2, mixing = 3, dropout = 4 };

/**
 * A small generator with a state of 64 bits: cheap to seed, because every picture of every epoch has one of
 * its own. Whatever a training draws depends on its seed and on what it is drawn for, never on what was drawn
 * before, so that a training can be resumed anywhere.
 *
 * Source: SplitMix64, G. L. Steele and others, "Fast splittable pseudorandom number generators", 2014.
 */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  /** In [0, 1). */
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /** In [least, most). */
  double uniform(double least, double most) { return least + (most - least) * uniform(); }
  /** A whole number in [0, count). */
  int64_t below(int64_t count) { return static_cast<int64_t>(uniform() * static_cast<double>(count)); }

 private:
  uint64_t state_;
};

/** The seed of a stream. @param first,second which one of its kind: epoch and sample, or step */
inline uint64_t seed_of(uint64_t seed, Draw draw, uint64_t first, uint64_t second = 0) {
  for (const uint64_t part : {static_cast<uint64_t>(draw), first, second}) seed = Random(seed ^ part).next();
  return seed;
}

}  // namespace ghostnet
