#pragma once

namespace ghostnet {

/** The function after a convolution or a dense layer: hard_sigmoid is relu6(x + 3) / 6, sigmoid 1 / (1 +
 * exp(-x)), clamp min(max(x, 0), 1). */
enum class Activation { none, relu, hard_sigmoid, sigmoid, clamp };

}  // namespace ghostnet
