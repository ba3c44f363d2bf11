#pragma once

namespace ghostnet {

/** What an engine stores activations, and the weights of products, in. It adds up in float32 in any case. */
enum class Precision {
  float32,
  tf32,     ///< float32 but for the factors of products, on a GPU only
  float16,  ///< on a GPU only
  bfloat16,
};

/** "float32", "tf32", "float16", "bfloat16" */
inline const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::tf32:
      return "tf32";
    case Precision::float16:
      return "float16";
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::float32:
      break;
  }
  return "float32";
}

}  // namespace ghostnet
