/**
 * Parts of some work, and rows of values in memory.
 */
#pragma once

#include <cstdint>

namespace ghostnet::cpu {

/** The part [begin, end) of some work. */
struct Range {
  int64_t begin, end;

  int64_t size() const { return end - begin; }
};

/** Rows of a plane, or the rows of it that are kept: row y replaces row y - ring. */
template <typename Value>
struct RowsOf {
  Value* data = nullptr;
  int64_t size = 0;  ///< values per row
  int64_t ring = 1;

  Value* row(int64_t y) const { return data + y % ring * size; }
  /** The number of contiguous rows from row y. */
  int64_t run(int64_t y) const { return ring - y % ring; }

  operator RowsOf<const Value>() const { return {data, size, ring}; }
};

/** Rows of values, `stride` floats from one to the next. */
template <typename Float>
struct Strided {
  Float* data;
  int64_t stride;

  Float* row(int64_t index) const { return data + index * stride; }
};

/** The share of one of `parts` in `count` items; shares differ by at most one. */
inline Range share_of(int64_t count, int part, int parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

/** The row or column, of `lower` many, for the one at `index` of `higher` many. Source: the mode nearest of
 * torch's interpolate. */
inline int64_t nearest(int64_t index, int64_t higher, int64_t lower) { return index * lower / higher; }

inline int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace ghostnet::cpu
