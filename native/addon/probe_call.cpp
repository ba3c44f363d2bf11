#include "addon/probe_call.h"

#include <memory>
#include <utility>

#include "addon/options.h"
#include "addon/tensor_handle.h"
#include "training/probe.h"

namespace ghostnet::addon {

namespace {

Napi::Value from_fit(Napi::Env env, ProbeFit fit) {
  const auto result = Napi::Object::New(env);
  result.Set("weight", TensorHandle::wrap(env, std::move(fit.weight)));
  result.Set("bias", TensorHandle::wrap(env, std::move(fit.bias)));
  result.Set("parameters", TensorHandle::wrap(env, std::move(fit.parameters)));
  result.Set("covariance", TensorHandle::wrap(env, std::move(fit.covariance)));
  result.Set("scores", TensorHandle::wrap(env, std::move(fit.scores)));
  result.Set("loss", fit.loss);
  result.Set("largestDerivative", fit.largest_derivative);
  result.Set("evaluations", static_cast<double>(fit.evaluations));
  return result;
}

Array optional_array(const Napi::Value& value) {
  return value.IsUndefined() ? Array{DType::float64, {}, nullptr} : TensorHandle::array_of(value);
}

/** A view without data of an array that was not given. */
ArrayView view_of(const Array& array) {
  return array.memory == nullptr ? ArrayView{array.dtype, {}, nullptr} : array.view();
}

}  // namespace

Napi::Value fit_probe(const Napi::CallbackInfo& info) {
  const Napi::Object task = to_object(info[1], "task");
  const Array embeddings = TensorHandle::array_of(task.Get("embeddings"));
  const Array labels = TensorHandle::array_of(task.Get("labels"));
  const Array validation = TensorHandle::array_of(task.Get("validation"));
  const Array start = optional_array(task.Get("start"));
  const Array covariance = optional_array(task.Get("covariance"));
  const int64_t classes = to_int(task.Get("classes"), "classes");
  const double l2 = to_number(task.Get("l2"), "l2");
  const int64_t most_steps = to_int(task.Get("mostSteps"), "mostSteps");
  const double tolerance = to_number(task.Get("tolerance"), "tolerance");
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  return run_job<ProbeFit>(info, {Executor::training(), to_threads(task.Get("threads")), false, cancelled},
                           {}, from_fit, [=](Team& team) {
                             ProbeTask given;
                             given.embeddings = embeddings.view();
                             given.labels = labels.view();
                             given.validation = validation.view();
                             given.classes = classes;
                             given.l2 = l2;
                             given.start = view_of(start);
                             given.covariance = view_of(covariance);
                             given.most_steps = most_steps;
                             given.tolerance = tolerance;
                             return ghostnet::fit_probe(given, team, *cancelled);
                           });
}

}  // namespace ghostnet::addon
