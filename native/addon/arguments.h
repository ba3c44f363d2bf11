/**
 * Converts JavaScript values to C++ values. The TypeScript side has already checked the arguments of users,
 * so a wrong value is a defect there or comes from a direct call of the addon. It is rejected all the same.
 */
#pragma once

#include <napi.h>

#include <map>
#include <string>
#include <vector>

#include "base/array.h"
#include "base/error.h"

namespace ghostnet::addon {

/** @throws Error GHOSTNET_INVALID_ARGUMENT */
DType to_dtype(const Napi::Value& value);
std::vector<int64_t> to_shape(const Napi::Value& value);
int64_t to_int(const Napi::Value& value, const char* name);
double to_number(const Napi::Value& value, const char* name);
std::string to_string(const Napi::Value& value, const char* name);
Napi::Array to_array(const Napi::Value& value, const char* name);
Napi::Object to_object(const Napi::Value& value, const char* name);

/**
 * An array in JavaScript's memory: { dtype, shape, data: Uint8Array }. The view reads the memory of `data`,
 * which the caller must keep alive.
 * @throws Error GHOSTNET_INVALID_ARGUMENT; GHOSTNET_BAD_SHAPE if the number of bytes does not match the shape
 */
ArrayView to_view(const Napi::Value& value);

Napi::Array from_shape(Napi::Env env, const std::vector<int64_t>& shape);
Napi::Array from_numbers(Napi::Env env, const std::vector<double>& numbers);
Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings);

/** An array of convert(item) for each item. */
template <typename Items, typename Convert>
Napi::Array list_of(Napi::Env env, Items&& items, const Convert& convert) {
  const auto list = Napi::Array::New(env, std::size(items));
  uint32_t index = 0;
  for (auto& item : items) list.Set(index++, convert(item));
  return list;
}

/** One of the values of an enum, by its name. @throws Error GHOSTNET_INVALID_ARGUMENT */
template <typename Enum, size_t count>
Enum to_one_of(const Napi::Value& value, const char* what, const Enum (&all)[count]) {
  const std::string name = to_string(value, what);
  std::string names;
  for (const Enum one : all) {
    if (name == name_of(one)) return one;
    names += (names.empty() ? "" : ", ") + std::string(name_of(one));
  }
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, std::string("The ") + what + " is unknown", name,
              "one of " + names);
}

/** The values convert(item) of the items of an array. */
template <typename Value, typename Convert>
std::vector<Value> values_of(const Napi::Value& value, const char* name, const Convert& convert) {
  const Napi::Array items = to_array(value, name);
  std::vector<Value> values;
  for (uint32_t index = 0; index < items.Length(); ++index) values.push_back(convert(items[index]));
  return values;
}

}  // namespace ghostnet::addon
