#pragma once

#include <napi.h>

#include <memory>

#include "addon/environment.h"
#include "training/trainer.h"

namespace ghostnet::addon {

/**
 * JavaScript's handle of a training. Created by the function createTrainer, never with `new`. Its jobs run
 * one after another on the thread of trainings, and hold their own reference to the trainer.
 */
class TrainerHandle : public Napi::ObjectWrap<TrainerHandle> {
 public:
  static void* operator new(size_t bytes) { return Environment::allocate(bytes); }
  static void operator delete(void* memory) { ::operator delete(memory); }

  static Napi::Function define(Napi::Env env);

  explicit TrainerHandle(const Napi::CallbackInfo& info);
  void Finalize(Napi::Env env) override;

  /** createTrainer(ticket, arrays, options): Promise<NativeTrainer> */
  static Napi::Value create(const Napi::CallbackInfo& info);

 private:
  /** A method, guarded. */
  template <Napi::Value (TrainerHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value safely(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (this->*method)(info); });
  }
  std::shared_ptr<Trainer> trainer() const;
  void release(Napi::Env env);

  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value order(const Napi::CallbackInfo& info);
  Napi::Value weights(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Trainer> trainer_;
  int64_t bytes_ = 0;
};

}  // namespace ghostnet::addon
