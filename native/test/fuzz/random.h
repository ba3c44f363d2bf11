#pragma once

#include <cstdint>
#include <iterator>

namespace ghostnet::test {

/** Random numbers that are the same with every compiler and library: SplitMix64. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  /** 0 to limit - 1; 0 if there is no such number. */
  size_t below(size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(next() % limit); }
  bool one_in(size_t times) { return below(times) == 0; }
  uint8_t byte() { return static_cast<uint8_t>(next()); }

  template <typename List>
  const auto& pick(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(below(std::size(list))));
  }

 private:
  uint64_t state_;
};

}  // namespace ghostnet::test
