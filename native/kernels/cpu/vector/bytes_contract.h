/**
 * The types for weighted sums of bytes that the file of an instruction set must provide, in the anonymous
 * namespace, for the reason that contract.h gives:
 *
 *     Words  lanes of int16 in pairs: bytes, or parts of weights
 *     Sums   half as many lanes of int32, which wrap around
 *
 * Vectors of pixels hold `kRows` rows by `kPairs` pairs of neighbouring pixels, in an order of their own; a
 * pair is R R' G G' B B' and two lanes whose values do not matter. Loads and stores need no alignment.
 */
#pragma once

#include <cstdint>

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {
namespace {

template <typename Words, typename Sums>
concept ByteVectors = requires(Words words, Words (&quarters)[4], Sums sums, Sums (&sum_quarters)[4],
                               const uint8_t* const* rows, const uint8_t* bytes, const int16_t* weights,
                               int64_t offset, int64_t count, uint8_t* out, uint8_t* const* outs) {
  Sums::kLanes;
  Words::kRows;
  Words::kPairs;
  words = Words::broadcast(weights);  // a pair of weights in every pair
  // kPairs pairs of weights, each where `pixels` has the pairs of pixels it belongs to.
  words = Words::spread(weights);
  // The pixels at an offset of each row. At most 16 bytes of a row are read.
  words = Words::pixels(rows, offset);
  // Pairs a byte of one row with that of another: 4*kLanes bytes, in the order that `store_bytes` undoes.
  interleave(bytes, bytes, quarters);
  sums = Sums::zero();
  sums = sums + sums;
  sums = products(words, words);  // the sum of the two products of a pair
  sums = scaled(sums, sums);      // the first times kWeightBase plus the second
  // Bytes of the sums divided by 2^kWeightBits, rounded and saturated: one pixel for each of kRows rows, over
  // whose pairs they are added, and 4*kLanes bytes or the first `count` of them.
  store_pixels(sums, outs, offset);
  store_bytes(sum_quarters, out);
  store_bytes(sum_quarters, out, count);
};

}  // namespace
}  // namespace ghostnet::cpu
