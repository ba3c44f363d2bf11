#pragma once

namespace ghostnet {

/** The function after a convolution or a dense layer: hard_sigmoid is relu6(x + 3) / 6. */
enum class Activation { none, relu, hard_sigmoid };

}  // namespace ghostnet
