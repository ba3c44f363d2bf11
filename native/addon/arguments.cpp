#include "addon/arguments.h"

#include <cmath>

#include "base/error.h"

namespace ghostnet::addon {

namespace {

[[noreturn]] void refuse(const char* name, const char* expected) {
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
              std::string("The argument ") + name + " has the wrong type", {}, expected);
}

}  // namespace

DType to_dtype(const Napi::Value& value) { return to_one_of(value, "dtype", kDTypes); }

std::vector<int64_t> to_shape(const Napi::Value& value) {
  return values_of<int64_t>(value, "shape", [](const Napi::Value& size) { return to_int(size, "shape"); });
}

int64_t to_int(const Napi::Value& value, const char* name) {
  const double number = to_number(value, name);
  if (std::trunc(number) != number || std::abs(number) > 9007199254740991.0) refuse(name, "a whole number");
  return static_cast<int64_t>(number);
}

double to_number(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) refuse(name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

std::string to_string(const Napi::Value& value, const char* name) {
  if (!value.IsString()) refuse(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

Napi::Array to_array(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) refuse(name, "an array");
  return value.As<Napi::Array>();
}

Napi::Object to_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) refuse(name, "an object");
  return value.As<Napi::Object>();
}

ArrayView to_view(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "array");
  const Napi::Value data = object.Get("data");
  if (!data.IsTypedArray() || data.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    refuse("data", "a Uint8Array");
  }
  const auto bytes = data.As<Napi::Uint8Array>();
  const ArrayView view{to_dtype(object.Get("dtype")), to_shape(object.Get("shape")), bytes.Data()};
  if (byte_count(view.dtype, view.shape) != bytes.ByteLength()) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The size of an array does not match its shape",
                std::to_string(bytes.ByteLength()) + " bytes",
                std::to_string(byte_count(view.dtype, view.shape)) + " bytes for " + name_of(view.dtype) +
                    " " + text_of(view.shape));
  }
  return view;
}

Napi::Array from_shape(Napi::Env env, const std::vector<int64_t>& shape) {
  return from_numbers(env, {shape.begin(), shape.end()});
}

Napi::Array from_numbers(Napi::Env env, const std::vector<double>& numbers) {
  return list_of(env, numbers, [&](double number) { return Napi::Number::New(env, number); });
}

Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  return list_of(env, strings, [&](const std::string& text) { return Napi::String::New(env, text); });
}

}  // namespace ghostnet::addon
