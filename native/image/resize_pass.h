/**
 * The two passes of a resize, over the rows of a stored image: along each row, and across the rows.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "base/array.h"
#include "image/resize_weights.h"
#include "kernels/cpu/kernels.h"

namespace ghostnet {

/** The pass along rows, whose sums are of neighbouring pixels. */
class PassAlongRows {
 public:
  /** @param columns sums of the columns of a row; a row begins at columns.all().begin */
  PassAlongRows(const ResizeWeights& columns, const cpu::Float32Kernels& kernels);

  /** Bytes after the last pixel of a row that are read, beyond those that the row has. */
  static constexpr int64_t kReadBehind = 3 * (cpu::kTapsAlong - 1) + cpu::kReadAfter;

  /**
   * @param rows [count] readable for kReadBehind bytes behind columns.all().end
   * @param out [count] output rows
   * @param stride bytes from one output pixel to the next
   */
  void run(const uint8_t* const* rows, int64_t count, uint8_t* const* out, int64_t stride) const;

 private:
  const cpu::Float32Kernels& kernels_;
  int64_t groups_;
  std::vector<int64_t> offsets_;
  std::vector<int16_t> weights_;
};

/** The pass across rows, whose sums are of the bytes at the same place. The rows arrive one after another;
 * only as many as a sum needs are kept. */
class PassAcrossRows {
 public:
  /**
   * @param rows sums of rows; rows arrive from rows.all().begin on
   * @param bytes of a row
   * @param together the most rows that arrive together
   */
  PassAcrossRows(const ResizeWeights& rows, int64_t bytes, int64_t together,
                 const cpu::Float32Kernels& kernels);

  /** Memory for a row: the first after those that have arrived, or one of those behind it. */
  uint8_t* next_row(int64_t behind);
  /** The memory of the next `count` rows is filled. */
  void arrived(int64_t count) { arrived_ += count; }

  /** Whether the rows of the next output have arrived. */
  bool is_ready() const { return done_ < rows_.outputs() && arrived_ >= rows_.range(output()).end; }
  /** Whether all outputs were written. */
  bool is_done() const { return done_ == rows_.outputs(); }
  /** The number of the next output: they are written in the order in which their last rows arrive. */
  int64_t output() const { return rows_.mirrored() ? rows_.outputs() - 1 - done_ : done_; }
  /** @param out [bytes] */
  void write(uint8_t* out);

 private:
  uint8_t* row(int64_t index) const;

  const cpu::Float32Kernels& kernels_;
  ResizeWeights rows_;
  int64_t bytes_;
  int64_t kept_;    // rows
  int64_t stride_;  // bytes from one row to the next
  Buffer memory_;
  int64_t arrived_;  // the number of the first row that has not arrived
  int64_t done_ = 0;
  std::vector<const uint8_t*> summed_;
  std::vector<int16_t> weights_;
};

}  // namespace ghostnet
