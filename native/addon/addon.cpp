/**
 * The exports of the addon. Their TypeScript type is NativeAddon.
 */
#include <napi.h>
#include <unistd.h>

#include <cstdio>

#include "addon/environment.h"
#include "addon/model_handle.h"
#include "addon/options.h"
#include "addon/probe_call.h"
#include "addon/tensor_handle.h"
#include "addon/trainer_handle.h"
#include "engine/cuda/gpus.h"
#include "engine/peak.h"
#include "engine/threads.h"
#include "runtime/ghost_module_run.h"
#include "runtime/network.h"
#include "runtime/runtime.h"

namespace ghostnet::addon {

namespace {

void set_error_factory(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).set_error_factory(info[0].As<Napi::Function>());
}

Napi::Value abort_job(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).abort(to_ticket(info[0]), info[1]));
}

Napi::Value new_ticket(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Environment::of(info.Env()).new_ticket()));
}

Napi::Value describe_runtime(const Napi::CallbackInfo& info) {
  const RuntimeInfo runtime = runtime_info();
  const auto result = Napi::Object::New(info.Env());
  result.Set("libtorch", runtime.libtorch_version);
  result.Set("cpuCapability", runtime.cpu_capability);
  result.Set("defaultThreads", runtime.default_threads);
  result.Set("maxThreads", kMaxThreads);
  return result;
}

/** checkSettings(settings): throws if a number of the transform or of the architecture is out of range. */
Napi::Value check_settings(const Napi::CallbackInfo& info) {
  const Napi::Object settings = to_object(info[0], "settings");
  validate(to_transform(settings));
  to_architecture(settings);
  return info.Env().Undefined();
}

/** stop(): ends all computation in the process. Called when the process exits. */
void stop(const Napi::CallbackInfo&) { stop_runtime(); }

/** exit(code): ends the process without waiting for any thread, for example one of libuv's that decodes. */
void exit_at_once(const Napi::CallbackInfo& info) {
  std::fflush(nullptr);
  _exit(static_cast<int>(to_int(info[0], "code")));
}

/** ghostModule(ticket, x, weights: Record<string, NativeTensor>, { outChannels?, stride, relu, threads }) */
Napi::Value ghost_module(const Napi::CallbackInfo& info) {
  const Array x = TensorHandle::array_of(info[1]);
  const Napi::Object weights = to_object(info[2], "weights");
  const Napi::Object options = to_object(info[3], "options");
  std::map<std::string, Array> arrays;
  const Napi::Array names = weights.GetPropertyNames();
  for (uint32_t index = 0; index < names.Length(); ++index) {
    const std::string name = to_string(names[index], "name");
    arrays.emplace(name, TensorHandle::array_of(weights.Get(name)));
  }
  GhostModuleRun call;
  if (!options.Get("outChannels").IsUndefined())
    call.out_channels = to_int(options.Get("outChannels"), "outChannels");
  call.stride = to_int(options.Get("stride"), "stride");
  call.relu = options.Get("relu").ToBoolean();
  const int threads = to_threads(options.Get("threads"));
  return run_job<Array>(info, {Executor::cpu(), threads}, {}, TensorHandle::wrap,
                        [x, arrays = std::move(arrays), call](Team& team) {
                          std::map<std::string, ArrayView> views;
                          for (const auto& [name, array] : arrays) views.emplace(name, array.view());
                          return run_ghost_module(x.view(), views, call, team.size());
                        });
}

/**
 * nullRun(ticket, input): a run of a model without the network; returns zeros [N,1000]. It measures the cost
 * of the round trip from JavaScript.
 */
Napi::Value null_run(const Napi::CallbackInfo& info) {
  const Array input = TensorHandle::array_of(info[1]);
  return run_job<Array>(info, {Executor::cpu()}, {}, TensorHandle::wrap, [input](Team&) {
    const std::vector<int64_t> shape = {input.shape[0], 1000};
    return Array{DType::float32, shape, std::make_shared<Buffer>(byte_count(DType::float32, shape))};
  });
}

/** listGpus(path: string): { name, capability, isSupported, memory }[]. `path` is the GPU library, or "" if
 * there is none. */
Napi::Value list_gpus(const Napi::CallbackInfo& info) {
  const auto gpus = cuda::list_gpus(to_string(info[0], "path"));
  return list_of(info.Env(), gpus, [&](const cuda::Gpu& gpu) {
    const auto item = Napi::Object::New(info.Env());
    item.Set("name", gpu.name);
    item.Set("capability", std::to_string(gpu.major) + "." + std::to_string(gpu.minor));
    item.Set("isSupported", gpu.major >= cuda::kLeastMajor);
    item.Set("memory", static_cast<double>(gpu.memory));
    return item;
  });
}

/** measurePeak(ticket, threads): multiply-adds per second */
Napi::Value peak(const Napi::CallbackInfo& info) {
  return run_job<double>(
      info, {Executor::cpu(), to_threads(info[1])}, {},
      [](Napi::Env env, double peak) -> Napi::Value { return Napi::Number::New(env, peak); }, measure_peak);
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  Environment::attach(env);
  guarded(env, start_runtime);
  Environment& environment = Environment::of(env);
  const Napi::Function tensor_class = TensorHandle::define(env);
  const Napi::Function model_class = ModelHandle::define(env);
  environment.tensor_class = Napi::Persistent(tensor_class);
  environment.model_class = Napi::Persistent(model_class);
  environment.trainer_class = Napi::Persistent(TrainerHandle::define(env));
  exports.Set("NativeTensor", tensor_class);
  exports.Set("loadModel", Napi::Function::New<safely<ModelHandle::load>>(env, "loadModel"));
  exports.Set("createModel", Napi::Function::New<safely<ModelHandle::create>>(env, "createModel"));
  exports.Set("createTrainer", Napi::Function::New<safely<TrainerHandle::create>>(env, "createTrainer"));
  exports.Set("inspect", Napi::Function::New<safely<ModelHandle::inspect>>(env, "inspect"));
  exports.Set("checkSettings", Napi::Function::New<safely<check_settings>>(env, "checkSettings"));
  exports.Set("ghostModule", Napi::Function::New<safely<ghost_module>>(env, "ghostModule"));
  exports.Set("fitProbe", Napi::Function::New<safely<fit_probe>>(env, "fitProbe"));
  exports.Set("nullRun", Napi::Function::New<safely<null_run>>(env, "nullRun"));
  exports.Set("measurePeak", Napi::Function::New<safely<peak>>(env, "measurePeak"));
  exports.Set("listGpus", Napi::Function::New<safely<list_gpus>>(env, "listGpus"));
  exports.Set("newTicket", Napi::Function::New<safely<new_ticket>>(env, "newTicket"));
  exports.Set("abort", Napi::Function::New<safely<abort_job>>(env, "abort"));
  exports.Set("setErrorFactory", Napi::Function::New<set_error_factory>(env, "setErrorFactory"));
  exports.Set("stop", Napi::Function::New<stop>(env, "stop"));
  exports.Set("exit", Napi::Function::New<exit_at_once>(env, "exit"));
  exports.Set("runtime", Napi::Function::New<safely<describe_runtime>>(env, "runtime"));
  return exports;
}

}  // namespace

}  // namespace ghostnet::addon

static Napi::Object start_addon(Napi::Env env, Napi::Object exports) {
  return ghostnet::addon::start(env, exports);
}
NODE_API_MODULE(ghostnet, start_addon)
