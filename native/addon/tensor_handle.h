#pragma once

#include <napi.h>

#include "addon/environment.h"

#include "base/array.h"

namespace ghostnet::addon {

/**
 * JavaScript's handle of a tensor: new NativeTensor(dtype, shape, source?: ArrayBufferView). Its properties
 * are `dtype`, `shape` and `buffer`, the ArrayBuffer over the tensor's memory.
 *
 * The memory has three kinds of owners, each with its own reference: this handle, the ArrayBuffer, and jobs.
 * The last owner frees it. Where external buffers are forbidden (NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED, as in
 * Electron), JavaScript owns the memory instead, and each job gets a copy.
 */
class TensorHandle : public Napi::ObjectWrap<TensorHandle> {
 public:
  static void* operator new(size_t bytes) { return Environment::allocate(bytes); }
  static void operator delete(void* memory) { ::operator delete(memory); }

  static Napi::Function define(Napi::Env env);
  static Napi::Object wrap(Napi::Env env, Array array);

  explicit TensorHandle(const Napi::CallbackInfo& info);

  /** The array for a job. @throws Error GHOSTNET_DISPOSED if the memory was released or transferred */
  static Array array_of(const Napi::Value& handle);

 private:
  Array array() const;
  Napi::ArrayBuffer buffer() const;
  void dispose(const Napi::CallbackInfo& info);

  Array array_;
  bool disposed_ = false;
};

}  // namespace ghostnet::addon
