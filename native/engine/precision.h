#pragma once

namespace ghostnet {

/** What the engine stores activations, and the weights of products, in. It adds up in float32 in any case. */
enum class Precision { float32, bfloat16 };

/** "float32", "bfloat16" */
inline const char* name_of(Precision precision) {
  return precision == Precision::bfloat16 ? "bfloat16" : "float32";
}

}  // namespace ghostnet
