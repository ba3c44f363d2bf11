#include "addon/tensor_handle.h"

#include <cstring>
#include <utility>

#include "addon/arguments.h"
#include "addon/environment.h"

namespace ghostnet::addon {

namespace {

#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED

// JavaScript gets its own copy, and the array releases its memory.
Napi::ArrayBuffer expose(Napi::Env env, Array& array) {
  const size_t bytes = byte_count(array.dtype, array.shape);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(buffer.Data(), array.memory->data(), bytes);
  array.memory.reset();
  return buffer;
}

#else

Napi::ArrayBuffer expose(Napi::Env env, Array& array) {
  if (array.memory->size() == 0) return Napi::ArrayBuffer::New(env, 0);
  auto* reference = new std::shared_ptr<Buffer>(array.memory);
  try {
    return Napi::ArrayBuffer::New(
        env, array.memory->data(), array.memory->size(),
        [](Napi::Env, void*, std::shared_ptr<Buffer>* held) { delete held; }, reference);
  } catch (...) {
    delete reference;
    throw;
  }
}

#endif

}  // namespace

Napi::Function TensorHandle::define(Napi::Env env) {
  return DefineClass(env, "NativeTensor", {InstanceMethod<&TensorHandle::dispose>("dispose")});
}

Napi::Object TensorHandle::wrap(Napi::Env env, Array array) {
  return Environment::of(env).tensor_class.New({Napi::External<Array>::New(env, &array)});
}

TensorHandle::TensorHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    if (info[0].IsExternal()) {
      array_ = std::move(*info[0].As<Napi::External<Array>>().Data());
    } else {
      array_ = {to_dtype(info[0]), to_shape(info[1]), nullptr};
      const size_t bytes = byte_count(array_.dtype, array_.shape);
      array_.memory = std::make_shared<Buffer>(bytes);
      if (!info[2].IsUndefined()) {
        const auto source = info[2].As<Napi::TypedArray>();
        if (!info[2].IsTypedArray() || source.ByteLength() != bytes) {
          throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The number of values does not match the shape", {},
                      std::to_string(bytes) + " bytes for " + text_of(array_.shape));
        }
        if (bytes > 0) {
          const auto* first =
              static_cast<const std::byte*>(source.ArrayBuffer().Data()) + source.ByteOffset();
          std::memcpy(array_.memory->data(), first, bytes);
        }
      }
    }
    const Napi::Env env = info.Env();
    Napi::Object self = info.This().As<Napi::Object>();
    self.Set("dtype", Napi::String::New(env, name_of(array_.dtype)));
    self.Set("shape", from_shape(env, array_.shape));
    self.Set("buffer", expose(env, array_));
  });
}

Napi::ArrayBuffer TensorHandle::buffer() const { return Value().Get("buffer").As<Napi::ArrayBuffer>(); }

Array TensorHandle::array_of(const Napi::Value& handle) {
  const Napi::Object object = to_object(handle, "tensor");
  if (!object.InstanceOf(Environment::of(handle.Env()).tensor_class.Value())) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The argument is not a tensor");
  }
  return Unwrap(object)->array();
}

Array TensorHandle::array() const {
  const size_t bytes = byte_count(array_.dtype, array_.shape);
  if (disposed_ || (bytes > 0 && buffer().ByteLength() == 0)) {
    throw Error(
        ErrorCode::GHOSTNET_DISPOSED, "The tensor was used after its memory was released",
        std::string(name_of(array_.dtype)) + " " + text_of(array_.shape) + ", disposed of or transferred");
  }
#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
  Array copy{array_.dtype, array_.shape, std::make_shared<Buffer>(bytes)};
  if (bytes > 0) std::memcpy(copy.memory->data(), buffer().Data(), bytes);
  return copy;
#else
  return array_;
#endif
}

void TensorHandle::dispose(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    if (disposed_) return;
    disposed_ = true;
    array_.memory.reset();
    Napi::ArrayBuffer memory = buffer();
    if (memory.ByteLength() > 0) memory.Detach();
  });
}

}  // namespace ghostnet::addon
