#include "addon/named_arrays.h"

#include <utility>

#include "addon/arguments.h"
#include "addon/tensor_handle.h"

namespace ghostnet::addon {

std::map<std::string, ArrayView> to_named_arrays(const Napi::Array& list) {
  std::map<std::string, ArrayView> arrays;
  for (uint32_t index = 0; index < list.Length(); ++index) {
    const Napi::Value item = list[index];
    arrays.emplace(to_string(to_object(item, "array").Get("name"), "name"), to_view(item));
  }
  return arrays;
}

Napi::Value from_arrays(Napi::Env env, Arrays arrays) {
  return list_of(env, arrays, [&](auto& entry) {
    const Napi::Array pair = Napi::Array::New(env, 2);
    pair.Set(0u, entry.first);
    pair.Set(1u, TensorHandle::wrap(env, std::move(entry.second)));
    return pair;
  });
}

}  // namespace ghostnet::addon
