#include "addon/trainer_handle.h"

#include <utility>

#include "addon/arguments.h"
#include "addon/named_arrays.h"
#include "addon/options.h"
#include "addon/tensor_handle.h"
#include "base/error.h"

namespace ghostnet::addon {

namespace {

Schedule to_schedule(const Napi::Object& options) {
  return {.peak = to_number(options.Get("learningRate"), "learningRate"),
          .warmup_steps = to_int(options.Get("warmupSteps"), "warmupSteps"),
          .total_steps = to_int(options.Get("totalSteps"), "totalSteps")};
}

Augmentation to_augmentation(const Napi::Object& options) {
  return {.flip = options.Get("flip").ToBoolean(),
          .least_area = to_number(options.Get("leastArea"), "leastArea"),
          .colour_jitter = to_number(options.Get("colorJitter"), "colorJitter"),
          .mixup = to_number(options.Get("mixup"), "mixup"),
          .cutmix = to_number(options.Get("cutmix"), "cutmix")};
}

TrainingSettings to_training_settings(const Napi::Object& options) {
  TrainingSettings settings;
  settings.optimizer = to_one_of(options.Get("optimizer"), "optimizer", kOptimizerKinds);
  settings.schedule = to_schedule(options);
  settings.momentum = to_number(options.Get("momentum"), "momentum");
  settings.weight_decay = to_number(options.Get("weightDecay"), "weightDecay");
  settings.label_smoothing = to_number(options.Get("labelSmoothing"), "labelSmoothing");
  settings.average = to_number(options.Get("ema"), "ema");
  settings.gradient_norm = to_number(options.Get("maxGradientNorm"), "maxGradientNorm");
  settings.augmentation = to_augmentation(options);
  settings.seed = static_cast<uint64_t>(to_int(options.Get("seed"), "seed"));
  settings.dtype = to_dtype(options.Get("dtype"));
  settings.threads = to_threads(options.Get("threads"));
  return settings;
}

std::vector<int64_t> to_numbers(const Napi::Value& value, const char* name) {
  return values_of<int64_t>(value, name, [&](const Napi::Value& number) { return to_int(number, name); });
}

Napi::Value wrap_trainer(Napi::Env env, std::shared_ptr<Trainer> trainer) {
  return Environment::of(env).trainer_class.New(
      {Napi::External<std::shared_ptr<Trainer>>::New(env, &trainer)});
}

}  // namespace

Napi::Function TrainerHandle::define(Napi::Env env) {
  return DefineClass(env, "NativeTrainer",
                     {
                         InstanceMethod<&TrainerHandle::safely<&TrainerHandle::step>>("step"),
                         InstanceMethod<&TrainerHandle::safely<&TrainerHandle::order>>("order"),
                         InstanceMethod<&TrainerHandle::safely<&TrainerHandle::weights>>("weights"),
                         InstanceMethod<&TrainerHandle::safely<&TrainerHandle::state>>("state"),
                         InstanceMethod<&TrainerHandle::dispose>("dispose"),
                     });
}

TrainerHandle::TrainerHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    if (!info[0].IsExternal()) {
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "Only createTrainer can create a native trainer");
    }
    trainer_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Trainer>>>().Data());
    bytes_ = trainer_->bytes();
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
  });
}

void TrainerHandle::Finalize(Napi::Env env) { release(env); }

void TrainerHandle::release(Napi::Env env) {
  if (trainer_ == nullptr) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
  trainer_.reset();
}

std::shared_ptr<Trainer> TrainerHandle::trainer() const {
  if (trainer_ == nullptr) throw Error(ErrorCode::GHOSTNET_DISPOSED, "The trainer was used after dispose()");
  return trainer_;
}

// In the executor of the CPU, where networks are created too: new weights come from the generator of the
// process.
Napi::Value TrainerHandle::create(const Napi::CallbackInfo& info) {
  const Napi::Array list = to_array(info[1], "arrays");
  const Napi::Object options = to_object(info[2], "options");
  return run_job<std::shared_ptr<Trainer>>(
      info, {Executor::cpu()}, {list}, wrap_trainer,
      [arrays = to_named_arrays(list), architecture = to_architecture(options),
       transform = to_transform(options), settings = to_training_settings(options)](Team&) {
        return Trainer::make(arrays, architecture, transform, settings);
      });
}

/** step(ticket, pixels: NativeTensor, { labels, samples, epoch, step, isFrozen }): Promise<{ loss, rate }> */
Napi::Value TrainerHandle::step(const Napi::CallbackInfo& info) {
  const Napi::Object given = to_object(info[2], "batch");
  Batch batch{TensorHandle::array_of(info[1]),
              to_numbers(given.Get("labels"), "labels"),
              to_numbers(given.Get("samples"), "samples"),
              to_int(given.Get("epoch"), "epoch"),
              to_int(given.Get("step"), "step"),
              given.Get("isFrozen").ToBoolean()};
  const auto convert = [](Napi::Env env, const StepResult& result) -> Napi::Value {
    const auto object = Napi::Object::New(env);
    object.Set("loss", result.loss);
    object.Set("rate", result.rate);
    return object;
  };
  return run_job<StepResult>(
      info, {Executor::training()}, {}, convert,
      [used = trainer(), batch = std::move(batch)](Team&) { return used->step(batch); });
}

/** order(ticket, epoch, count): Promise<NativeTensor> */
Napi::Value TrainerHandle::order(const Napi::CallbackInfo& info) {
  return run_job<Array>(info, {Executor::training()}, {}, TensorHandle::wrap,
                        [used = trainer(), epoch = to_int(info[1], "epoch"),
                         count = to_int(info[2], "count")](Team&) { return used->order(epoch, count); });
}

/** weights(ticket): Promise<[name, NativeTensor][]> */
Napi::Value TrainerHandle::weights(const Napi::CallbackInfo& info) {
  return run_job<Arrays>(info, {Executor::training()}, {}, from_arrays,
                         [used = trainer()](Team&) { return used->weights(); });
}

/** state(ticket): Promise<[name, NativeTensor][]> */
Napi::Value TrainerHandle::state(const Napi::CallbackInfo& info) {
  return run_job<Arrays>(info, {Executor::training()}, {}, from_arrays,
                         [used = trainer()](Team&) { return used->state(); });
}

void TrainerHandle::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace ghostnet::addon
