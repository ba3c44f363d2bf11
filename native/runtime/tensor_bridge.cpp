#include "runtime/tensor_bridge.h"

#include <cstring>

#include "base/error.h"

namespace ghostnet {

namespace {

torch::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::float64:
      return torch::kFloat64;
    case DType::float32:
      return torch::kFloat32;
    case DType::float16:
      return torch::kFloat16;
    case DType::bfloat16:
      return torch::kBFloat16;
    case DType::int64:
      return torch::kInt64;
    case DType::int32:
      return torch::kInt32;
    case DType::int16:
      return torch::kInt16;
    case DType::int8:
      return torch::kInt8;
    case DType::uint8:
      return torch::kUInt8;
    case DType::boolean:
      return torch::kBool;
  }
  return torch::kFloat32;
}

}  // namespace

torch::Tensor borrow(const ArrayView& view) {
  return torch::from_blob(const_cast<void*>(view.data), view.shape, scalar_type(view.dtype));
}

Array copy_out(const torch::Tensor& tensor) {
  const bool integer = c10::isIntegralType(tensor.scalar_type(), true);
  Array array{integer ? DType::int64 : DType::float32, tensor.sizes().vec(), nullptr};
  array.memory = std::make_shared<Buffer>(byte_count(array.dtype, array.shape));
  const torch::NoGradGuard no_grad;
  borrow(array.view()).copy_(tensor);
  return array;
}

void fill(torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays) {
  const torch::NoGradGuard no_grad;
  const auto fill_one = [&](const std::string& name, torch::Tensor& target) {
    const auto found = arrays.find(name);
    if (found == arrays.end()) return;
    const torch::Tensor source = borrow(found->second);
    // The bytes of a hostile bool may be neither 0 nor 1, so they are never read as a bool.
    if (target.is_floating_point() != source.is_floating_point() || source.scalar_type() == torch::kBool) {
      throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "The array " + name + " cannot be used as a parameter",
                  name_of(found->second.dtype),
                  target.is_floating_point() ? "a floating-point dtype" : "an integer dtype");
    }
    target.copy_(source);
  };
  for (auto& item : module.named_parameters()) fill_one(item.key(), item.value());
  for (auto& item : module.named_buffers()) fill_one(item.key(), item.value());
}

bool holds(const torch::nn::Module& module, const std::map<std::string, ArrayView>& arrays) {
  const torch::NoGradGuard no_grad;
  const auto holds_all = [&](const auto& items) {
    for (const auto& item : items) {
      const auto found = arrays.find(item.key());
      if (found == arrays.end()) continue;
      const torch::Tensor source = borrow(found->second);
      if (!item.value().equal(source.to(item.value().scalar_type()))) return false;
    }
    return true;
  };
  return holds_all(module.named_parameters()) && holds_all(module.named_buffers());
}

}  // namespace ghostnet
