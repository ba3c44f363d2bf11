#include "fragment_check.h"
#include "numbers.h"

#include <cmath>
#include <random>
#include <vector>

#include "kernels/cuda/device.cuh"

namespace ghostnet::cuda_on_cpu {

namespace {

/** The position of a value of a thread in a matrix, counted down its columns. */
struct Layout {
  int lane_in_four, four;      ///< strides of lane % 4 and lane / 4
  std::vector<int> value_bit;  ///< strides of the bits of the value's number

  int at(int lane, int value) const {
    int index = lane % 4 * lane_in_four + lane / 4 * four;
    for (size_t bit = 0; bit < value_bit.size(); ++bit) index += (value >> bit & 1) * value_bit[bit];
    return index;
  }
};

/** An instruction with 16x8 sums: the layouts of a, b and the sums. */
struct Instruction {
  int depth, values_in_register;
  Layout a, b, sums;
};

const Instruction kOf16Bits = {16, 2, {32, 1, {16, 8, 128}}, {16, 1, {8, 64}}, {32, 1, {16, 8}}};
const Instruction kOfTensorFloats = {8, 1, {16, 1, {8, 64}}, {8, 1, {32}}, {32, 1, {16, 8}}};

/** @param word a register of this number of values, in the memory format of a type */
template <class Compute, class MakeWord>
bool multiplies(const Instruction& instruction, Compute compute, MakeWord word) {
  std::mt19937 random(5);
  // Small whole numbers: exact in every format, and in the sums.
  const auto matrix = [&](int elements) {
    std::vector<float> values(static_cast<size_t>(elements));
    for (float& value : values) value = static_cast<float>(random() % 17) - 8;
    return values;
  };
  const std::vector<float> a = matrix(16 * instruction.depth), b = matrix(8 * instruction.depth);
  const auto load = [&](uint32_t* registers, int count, const Layout& layout, const std::vector<float>& from,
                        int lane) {
    for (int i = 0; i < count; ++i) {
      float values[2] = {};
      for (int j = 0; j < instruction.values_in_register; ++j) {
        values[j] = from[static_cast<size_t>(layout.at(lane, i * instruction.values_in_register + j))];
      }
      registers[i] = word(values);
    }
  };
  float sums[cuda::model::kWarp][4] = {};
  uint32_t fragments[cuda::model::kWarp][4];
  std::vector<cuda::model::MultiplyAccumulate> operands(cuda::model::kWarp);
  void* pointers[cuda::model::kWarp];
  for (int lane = 0; lane < cuda::model::kWarp; ++lane) {
    cuda::model::MultiplyAccumulate& operand = operands[static_cast<size_t>(lane)];
    load(fragments[lane], 4, instruction.a, a, lane);
    load(operand.b, 2, instruction.b, b, lane);
    operand.sum = sums[lane];
    operand.a = fragments[lane];
    pointers[lane] = &operand;
  }
  compute(pointers);
  for (int lane = 0; lane < cuda::model::kWarp; ++lane) {
    for (int value = 0; value < 4; ++value) {
      const int at = instruction.sums.at(lane, value), row = at % 16, column = at / 16;
      float expected = 0;
      for (int k = 0; k < instruction.depth; ++k) {
        expected += a[static_cast<size_t>(row + 16 * k)] * b[static_cast<size_t>(column + 8 * k)];
      }
      if (sums[lane][value] != expected) return false;
    }
  }
  return true;
}

/** ldmatrix loads into a thread the pair of 16-bit values that an mma of 8x8 rows by columns of pairs reads.
 */
bool loads_matrices() {
  const Layout pairs = {1, 4, {}};  // of a matrix of 8 rows of 4 pairs, counted along its rows
  uint32_t matrices[4][32];
  std::vector<cuda::model::LoadMatrices> operands(cuda::model::kWarp);
  void* pointers[cuda::model::kWarp];
  for (int lane = 0; lane < cuda::model::kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) matrices[i][lane] = static_cast<uint32_t>(i * 32 + lane);
    operands[static_cast<size_t>(lane)].row = &matrices[lane / 8][lane % 8 * 4];
    pointers[lane] = &operands[static_cast<size_t>(lane)];
  }
  cuda::model::load_matrices(pointers);
  for (int lane = 0; lane < cuda::model::kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      if (operands[static_cast<size_t>(lane)].fragment[i] != matrices[i][pairs.at(lane, 0)]) return false;
    }
  }
  return true;
}

}  // namespace

bool fragments_are_where_cutlass_has_them() {
  return multiplies(kOf16Bits, cuda::model::multiply_accumulate<float_of_half>,
                    cuda::Word<cuda::Half>::pack) &&
         multiplies(kOf16Bits, cuda::model::multiply_accumulate<float_of_bfloat16>,
                    cuda::Word<cuda::BFloat16>::pack) &&
         multiplies(kOfTensorFloats, cuda::model::multiply_accumulate_tensor_floats,
                    cuda::Word<cuda::TensorFloat32>::pack) &&
         loads_matrices();
}

}  // namespace ghostnet::cuda_on_cpu
