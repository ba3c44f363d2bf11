#pragma once

#include <napi.h>

#include "engine/array.h"

namespace ghostnet::addon {

/**
 * A tensor as JavaScript holds it: new NativeTensor(dtype, shape, source?: ArrayBufferView), properties
 * `dtype`, `shape` and `buffer`, the ArrayBuffer over the tensor's own memory.
 *
 * The memory has three kinds of holders, each with a reference of its own: this handle, the ArrayBuffer, and
 * jobs. Whoever of them goes last frees it. Where external buffers are forbidden
 * (NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED, as in Electron) JavaScript owns the memory instead, and a job gets a
 * copy.
 */
class TensorHandle : public Napi::ObjectWrap<TensorHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object wrap(Napi::Env env, Array array);

  explicit TensorHandle(const Napi::CallbackInfo& info);

  /** The array for a job. @throws Error GHOSTNET_DISPOSED when the memory was given up or transferred away */
  static Array array_of(const Napi::Value& handle);

 private:
  Array array() const;
  Napi::ArrayBuffer buffer() const;
  void dispose(const Napi::CallbackInfo& info);

  Array array_;
  bool disposed_ = false;
};

}  // namespace ghostnet::addon
