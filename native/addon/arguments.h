/**
 * JavaScript values to plain ones. The TypeScript side has checked what people pass; what does not fit here
 * is a defect of it, or somebody who calls the addon by hand, and is refused all the same.
 */
#pragma once

#include <napi.h>

#include <map>
#include <string>
#include <vector>

#include "engine/array.h"

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
 * Bytes of JavaScript's own: { dtype, shape, data: Uint8Array }. The view reads the memory of `data`, which
 * must be kept.
 * @throws Error GHOSTNET_INVALID_ARGUMENT, GHOSTNET_BAD_SHAPE when the bytes are not those of the shape
 */
ArrayView to_view(const Napi::Value& value);

Napi::Array from_shape(Napi::Env env, const std::vector<int64_t>& shape);

}  // namespace ghostnet::addon
