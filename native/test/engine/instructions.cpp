// What a processor does for one image, to count its instructions (docs/development.md):
//   ghostnet_instructions network   GhostNet 1.0x on an image of 224x224 pixels, with one thread
//   ghostnet_instructions resize    an image of 1280x720 pixels to 224x224
#include <cstdio>
#include <string_view>
#include <vector>

#include "engine/cpu/engine.h"
#include "image/row_resizer.h"
#include "model/variant.h"
#include "test/engine/synthetic_network.h"
#include "with_team.h"

namespace {

std::vector<uint8_t> noise(int64_t bytes) {
  std::vector<uint8_t> image(static_cast<size_t>(bytes));
  for (size_t index = 0; index < image.size(); ++index)
    image[index] = static_cast<uint8_t>(index * 2654435761u >> 13);
  return image;
}

void run_network() {
  using namespace ghostnet;
  const Architecture architecture = generations().front().at(1);
  Engine engine(pack_network(synthetic_network(architecture), cpu::kernels_of(cpu::chosen_capability()),
                             Precision::float32),
                std::make_shared<Arena>());
  const std::vector<uint8_t> bytes = noise(224 * 224 * 3);
  std::vector<float> logits(static_cast<size_t>(engine.columns(Output::logits)));
  const ArrayView view = {DType::uint8, {1, 224, 224, 3}, bytes.data()};
  with_team(1, [&](Team& team) { engine.run({view, Transform{}, Output::logits, team}, logits.data()); });
  std::printf("%.9g\n", logits[0]);
}

void run_resize() {
  using namespace ghostnet;
  const std::vector<uint8_t> bytes = noise(1280 * 720 * 3);
  std::vector<uint8_t> out(224 * 224 * 3);
  resize_pixels(Transform{}, bytes.data(), 720, 1280, out.data());
  std::printf("%d\n", out[0]);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 2 ? arguments[1] : "";
  if (what == "network") return run_network(), 0;
  if (what == "resize") return run_resize(), 0;
  std::fputs("expected `network` or `resize`\n", stderr);
  return 2;
}
