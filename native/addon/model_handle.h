#pragma once

#include <napi.h>

#include <memory>

#include "engine/network.h"

namespace ghostnet::addon {

/**
 * A network as JavaScript holds it. Made by the functions load and create, never with `new`. Jobs hold the
 * network themselves: one that waits when the handle is disposed of still runs.
 */
class ModelHandle : public Napi::ObjectWrap<ModelHandle> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ModelHandle(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

  /** loadModel(ticket, arrays, options): Promise<NativeModel> */
  static Napi::Value load(const Napi::CallbackInfo& info);
  /** inspect(ticket, arrays, options): Promise<NativeInspection> */
  static Napi::Value inspect(const Napi::CallbackInfo& info);
  /** createModel(ticket, options): Promise<NativeModel> */
  static Napi::Value create(const Napi::CallbackInfo& info);

 private:
  std::shared_ptr<Network> network() const;
  void release(Napi::Env env);

  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value layers(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value classify(const Napi::CallbackInfo& info);
  Napi::Value prepare(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Network> network_;
};

}  // namespace ghostnet::addon
