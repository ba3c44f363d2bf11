#pragma once

#include <napi.h>

#include <memory>

#include "addon/environment.h"
#include "runtime/network.h"

namespace ghostnet::addon {

/**
 * JavaScript's handle of a network. Created by the functions load and create, never with `new`. Jobs hold
 * their own reference to the network, so a waiting job still runs after the handle is disposed of.
 */
class ModelHandle : public Napi::ObjectWrap<ModelHandle> {
 public:
  static void* operator new(size_t bytes) { return Environment::allocate(bytes); }
  static void operator delete(void* memory) { ::operator delete(memory); }

  static Napi::Function define(Napi::Env env);

  explicit ModelHandle(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

  /** loadModel(ticket, arrays, options): Promise<NativeModel> */
  static Napi::Value load(const Napi::CallbackInfo& info);
  /** inspect(ticket, arrays: { name, shape }[], options): Promise<NativeInspection> */
  static Napi::Value inspect(const Napi::CallbackInfo& info);
  /** createModel(ticket, options): Promise<NativeModel> */
  static Napi::Value create(const Napi::CallbackInfo& info);

 private:
  /** A method, guarded. */
  template <Napi::Value (ModelHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value safely(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }
  std::shared_ptr<Network> network() const;
  void release(Napi::Env env);

  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value layers(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value classify(const Napi::CallbackInfo& info);
  Napi::Value run_images(const Napi::CallbackInfo& info);
  Napi::Value prepare(const Napi::CallbackInfo& info);
  Napi::Value check_sides(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Network> network_;
};

}  // namespace ghostnet::addon
