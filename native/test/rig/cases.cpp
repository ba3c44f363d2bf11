#include "cases.h"
#include "model/variant.h"
#include "numbers.h"

#include <array>
#include <random>

#include "test/network_modules.h"

namespace ghostnet::cuda_on_cpu {

namespace {

constexpr Order kOrders[] = {Order::forward, Order::reverse, Order::shuffled, Order::preempting};

}  // namespace

std::vector<Case> edge_cases(Precision dtype) {
  struct Shape {
    int batch, height, width, in_channels, intrinsic, ratio, cheap_size, out_channels;
    bool relu, residual;
    int misaligned;
    bool gate = false;
  };
  const Shape shapes[] = {
      {1, 1, 1, 1, 1, 2, 3, 2, true, false, 0},        // nothing smaller
      {2, 7, 7, 40, 24, 2, 3, 48, true, false, 0},     // small tile, whole plane
      {2, 8, 8, 64, 72, 2, 3, 144, false, true, 0},    // small tile, filled; two channel tiles
      {1, 14, 14, 80, 40, 2, 3, 80, false, true, 0},   // whole plane in the large tile
      {1, 16, 16, 16, 8, 2, 3, 16, true, false, 0},    // whole plane, filled; narrow rows
      {1, 17, 15, 24, 20, 2, 3, 40, true, false, 0},   // one row and one column too many
      {1, 28, 28, 16, 16, 2, 3, 32, true, true, 0},    // halo on one side
      {1, 30, 43, 40, 12, 2, 3, 24, true, false, 0},   // halo on all sides, 8-byte accesses
      {2, 1, 70, 8, 36, 2, 3, 72, false, false, 0},    // more columns than threads
      {1, 9, 9, 33, 17, 2, 3, 33, true, true, 0},      // odd channels: one number at a time
      {1, 15, 9, 18, 10, 2, 3, 20, false, false, 0},   // channels of 4 bytes
      {1, 12, 12, 32, 64, 2, 3, 128, true, false, 1},  // arrays off the 16-byte grid
      {1, 10, 7, 24, 24, 2, 3, 37, true, false, 0},    // cut inside the ghosts
      {1, 9, 8, 24, 24, 2, 3, 24, true, false, 0},     // cut before the ghosts
      {1, 5, 5, 16, 24, 2, 3, 7, true, true, 0},       // cut inside the intrinsic maps
      {1, 20, 19, 16, 12, 3, 3, 36, true, false, 0},   // three maps of one
      {1, 6, 6, 24, 69, 4, 3, 270, false, true, 0},    // four of one, in several channel tiles
      {1, 18, 17, 16, 16, 2, 1, 32, true, false, 0},   // no halo at all
      {1, 25, 13, 16, 16, 2, 5, 32, true, false, 0},   // halo of 2
      {1, 19, 22, 8, 40, 2, 7, 80, false, false, 0},   // halo of 3
      {1, 3, 3, 8, 9, 3, 7, 25, true, true, 0},        // kernel larger than the plane
      {1, 7, 7, 960, 80, 2, 3, 160, false, true, 0},   // many stages
      {3, 7, 7, 76, 40, 2, 3, 80, false, false, 0,
       true},  // gated; pixels of three images in a tile of the two
      {2, 19, 18, 36, 20, 2, 3, 40, false, false, 0, true},  // gated, several tiles, 8-byte accesses
      {1, 16, 16, 24, 12, 2, 5, 24, true, true, 0, true},    // gated, narrow rows
  };
  std::vector<Case> cases;
  int turn = 0;
  for (const Shape& s : shapes) {
    Case c;
    c.dtype = dtype;
    c.batch = s.batch;
    c.height = s.height;
    c.width = s.width;
    c.in_channels = s.in_channels;
    c.intrinsic = s.intrinsic;
    c.ratio = s.ratio;
    c.cheap_size = s.cheap_size;
    c.out_channels = s.out_channels;
    c.relu = s.relu;
    c.residual = s.residual;
    c.misaligned = s.misaligned;
    c.gate = s.gate;
    for (const Order order : kOrders) {
      c.order = order;
      cases.push_back(c);
    }
    c.order = kOrders[turn++ % 4];
    Case epilogue = c;
    c.path = Path::two_kernels;
    c.residual = false;
    cases.push_back(c);
    // Has no product, so it does not support a dtype that differs from memory only in products.
    if (dtype != cuda::memory_of(dtype)) continue;
    epilogue.path = Path::epilogue;
    epilogue.in_channels = c.intrinsic;
    epilogue.gate = false;
    cases.push_back(epilogue);
  }
  return cases;
}

std::vector<Case> random_cases(Precision dtype, int count) {
  std::mt19937 random(20 + static_cast<unsigned>(dtype));
  const auto pick = [&](std::initializer_list<int> values) {
    return values.begin()[random() % values.size()];
  };
  std::vector<Case> cases;
  for (int i = 0; i < count; ++i) {
    Case c;
    c.dtype = dtype;
    c.path = std::array{Path::fused, Path::fused, Path::two_kernels, Path::epilogue}[random() % 4];
    c.batch = pick({1, 1, 2, 3});
    c.height = 1 + static_cast<int>(random() % 24);
    c.width = 1 + static_cast<int>(random() % 24);
    c.in_channels = pick({1, 4, 8, 24, 32, 40}) + pick({0, 0, 0, 1, 2, 16});
    c.intrinsic = pick({1, 4, 8, 12, 16, 20, 24, 36, 64}) + pick({0, 0, 0, 1, 2});
    c.ratio = pick({2, 2, 2, 3, 4});
    c.cheap_size = pick({3, 3, 3, 1, 5, 7});
    const int all = c.intrinsic * c.ratio;
    c.out_channels = random() % 2 == 0 ? all : 1 + static_cast<int>(random() % all);
    c.relu = random() % 2 == 0;
    c.residual = c.path != Path::two_kernels && random() % 3 == 0;
    c.misaligned = random() % 8 == 0 ? 1 + static_cast<int>(random() % 7) : 0;
    c.order = kOrders[random() % 4];
    c.gate = c.path != Path::epilogue && c.in_channels % 4 == 0 && random() % 3 == 0;
    if (c.path == Path::epilogue) c.in_channels = c.intrinsic;
    cases.push_back(c);
  }
  return cases;
}

std::vector<Case> network_cases(Precision dtype, Path path) {
  std::vector<Case> cases;
  for (const NetworkModule& module : ghost_modules(*find_variant("ghostnet_100"), 224)) {
    Case c;
    c.dtype = dtype;
    c.path = path;
    c.height = c.width = module.side;
    c.in_channels = module.in_channels;
    c.intrinsic = module.intrinsic;
    c.out_channels = module.out_channels;
    c.relu = module.relu;
    c.residual = !module.relu && path == Path::fused;
    c.order = kOrders[cases.size() % 3];
    c.name = module.name;
    cases.push_back(c);
  }
  return cases;
}

}  // namespace ghostnet::cuda_on_cpu
