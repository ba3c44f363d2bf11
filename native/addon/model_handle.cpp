#include "addon/model_handle.h"

#include <utility>

#include "addon/arguments.h"
#include "addon/environment.h"
#include "addon/tensor_handle.h"
#include "base/error.h"
#include "engine/threads.h"
#include "model/layers.h"
#include "runtime/inspect.h"

namespace ghostnet::addon {

namespace {

Ticket to_ticket(const Napi::Value& value) { return to_int(value, "ticket"); }

int to_threads(const Napi::Value& value) {
  const int64_t threads = to_int(value, "threads");
  if (threads < 1 || threads > kMaxThreads) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The number of threads is out of range",
                std::to_string(threads), "a whole number from 1 to " + std::to_string(kMaxThreads));
  }
  return static_cast<int>(threads);
}

Output to_output(const Napi::Value& value) {
  return to_string(value, "output") == "features" ? Output::features : Output::logits;
}

Backend to_backend(const Napi::Value& value) {
  const std::string name = to_string(value, "backend");
  if (name == "fused") return Backend::fused;
  if (name == "reference") return Backend::reference;
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The backend is unknown", name, "fused or reference");
}

Precision to_precision(const Napi::Value& value) {
  const std::string name = to_string(value, "precision");
  std::string names;
  for (const Precision precision : kPrecisions) {
    if (name == name_of(precision)) return precision;
    names += (names.empty() ? "" : ", ") + std::string(name_of(precision));
  }
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The precision is unknown", name, "one of " + names);
}

// Omitted options keep the defaults of the struct. lib/native/device.ts has chosen the GPU.
Computation to_computation(const Napi::Object& options) {
  Computation computation;
  const auto given = [&](const char* name) { return !options.Get(name).IsUndefined(); };
  if (given("backend")) computation.backend = to_backend(options.Get("backend"));
  if (given("precision")) computation.precision = to_precision(options.Get("precision"));
  if (given("gpu")) computation.gpu = static_cast<int>(to_int(options.Get("gpu"), "gpu"));
  return computation;
}

Executor& executor_of(const Network& network) {
  return network.gpu() ? Executor::gpu(*network.gpu()) : Executor::cpu();
}

std::array<double, 3> to_channels(const Napi::Value& value, const char* name) {
  const Napi::Array values = to_array(value, name);
  if (values.Length() != 3) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, std::string("The ") + name + " has the wrong length",
                std::to_string(values.Length()) + " numbers", "3 numbers, for red, green and blue");
  }
  return {to_number(values[0u], name), to_number(values[1u], name), to_number(values[2u], name)};
}

// Omitted options keep the defaults of the struct.
Transform to_transform(const Napi::Object& options) {
  Transform transform;
  const auto given = [&](const char* name) { return !options.Get(name).IsUndefined(); };
  if (given("inputSize")) transform.input_size = to_int(options.Get("inputSize"), "inputSize");
  if (given("crop")) transform.crop = to_number(options.Get("crop"), "crop");
  if (given("mean")) transform.mean = to_channels(options.Get("mean"), "mean");
  if (given("std")) transform.std = to_channels(options.Get("std"), "std");
  if (given("interpolation")) {
    const std::string name = to_string(options.Get("interpolation"), "interpolation");
    if (name == name_of(Interpolation::bilinear)) {
      transform.interpolation = Interpolation::bilinear;
    } else if (name == name_of(Interpolation::bicubic)) {
      transform.interpolation = Interpolation::bicubic;
    } else {
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The interpolation is unknown", name,
                  "bilinear or bicubic");
    }
  }
  return transform;
}

StageTable to_stages(const Napi::Value& value) {
  StageTable stages;
  const Napi::Array table = to_array(value, "stages");
  for (uint32_t stage = 0; stage < table.Length(); ++stage) {
    const Napi::Array rows = to_array(table[stage], "a stage");
    auto& blocks = stages.emplace_back();
    for (uint32_t row = 0; row < rows.Length(); ++row) {
      const Napi::Array numbers = to_array(rows[row], "a row of a stage");
      if (numbers.Length() != 5) {
        throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "A row of the stage table has the wrong length",
                    std::to_string(numbers.Length()) + " numbers",
                    "[kernel, expansion, out, seRatio, stride]");
      }
      blocks.push_back({to_int(numbers[0u], "kernel"), to_int(numbers[1u], "expansion"),
                        to_int(numbers[2u], "out"), to_number(numbers[3u], "seRatio"),
                        to_int(numbers[4u], "stride")});
    }
  }
  return stages;
}

Architecture to_architecture(const Napi::Object& options) {
  Architecture architecture;
  if (!options.Get("variant").IsUndefined()) {
    const std::string name = to_string(options.Get("variant"), "variant");
    const auto found = find_variant(name);
    if (!found) {
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The variant is unknown", name,
                  "ghostnet_050, ghostnet_100, ghostnet_130, or ghostnet_ with another width in hundredths");
    }
    architecture = *found;
  } else {
    architecture.stages = ghostnet_v1_stages();
  }
  if (!options.Get("stages").IsUndefined()) architecture.stages = to_stages(options.Get("stages"));
  if (!options.Get("width").IsUndefined()) architecture.width = to_number(options.Get("width"), "width");
  if (!options.Get("numClasses").IsUndefined()) {
    architecture.num_classes = to_int(options.Get("numClasses"), "numClasses");
  }
  if (!options.Get("dropout").IsUndefined())
    architecture.dropout = to_number(options.Get("dropout"), "dropout");
  validate(architecture);
  return architecture;
}

Napi::Array from_stages(Napi::Env env, const StageTable& table) {
  const auto stages = Napi::Array::New(env, table.size());
  for (uint32_t stage = 0; stage < table.size(); ++stage) {
    const auto rows = Napi::Array::New(env, table[stage].size());
    for (uint32_t row = 0; row < table[stage].size(); ++row) {
      const BlockSpec& block = table[stage][row];
      const auto numbers = Napi::Array::New(env, 5);
      numbers.Set(0u, static_cast<double>(block.kernel));
      numbers.Set(1u, static_cast<double>(block.expansion));
      numbers.Set(2u, static_cast<double>(block.out));
      numbers.Set(3u, block.se_ratio);
      numbers.Set(4u, static_cast<double>(block.stride));
      rows.Set(row, numbers);
    }
    stages.Set(stage, rows);
  }
  return stages;
}

Napi::Array from_channels(Napi::Env env, const std::array<double, 3>& values) {
  const auto array = Napi::Array::New(env, 3);
  for (uint32_t channel = 0; channel < 3; ++channel) array.Set(channel, values[channel]);
  return array;
}

NamedArrays to_named_arrays(const Napi::Array& list) {
  NamedArrays arrays;
  for (uint32_t index = 0; index < list.Length(); ++index) {
    const Napi::Value item = list[index];
    arrays.emplace(to_string(to_object(item, "array").Get("name"), "name"), to_view(item));
  }
  return arrays;
}

// Stages stated in a file are more reliable than stages inferred from its shapes.
std::optional<Architecture> stated_architecture(const Napi::Object& options) {
  if (options.Get("stages").IsUndefined()) return std::nullopt;
  return to_architecture(options);
}

Napi::Array from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  const auto array = Napi::Array::New(env, strings.size());
  for (uint32_t index = 0; index < strings.size(); ++index) array.Set(index, strings[index]);
  return array;
}

Napi::Value wrap_network(Napi::Env env, std::shared_ptr<Network> network) {
  return Environment::of(env).model_class.New({Napi::External<std::shared_ptr<Network>>::New(env, &network)});
}

// The bytes are in JavaScript's memory, which is kept alive while the job is pending.
std::vector<ArrayView> to_images(const Napi::Value& value) {
  const Napi::Array list = to_array(value, "images");
  std::vector<ArrayView> images;
  for (uint32_t index = 0; index < list.Length(); ++index) images.push_back(to_view(list[index]));
  return images;
}

}  // namespace

Napi::Function ModelHandle::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {
                         InstanceMethod<&ModelHandle::describe>("describe"),
                         InstanceMethod<&ModelHandle::layers>("layers"),
                         InstanceMethod<&ModelHandle::run>("run"),
                         InstanceMethod<&ModelHandle::classify>("classify"),
                         InstanceMethod<&ModelHandle::prepare>("prepare"),
                         InstanceMethod<&ModelHandle::state>("state"),
                         InstanceMethod<&ModelHandle::dispose>("dispose"),
                     });
}

ModelHandle::ModelHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  guarded(info.Env(), [&] {
    if (!info[0].IsExternal()) {
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
                  "Only loadModel and createModel can create a native model");
    }
    network_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Network>>>().Data());
    // Informs V8 how much memory this object frees when it is collected.
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), network_->weight_bytes());
  });
}

void ModelHandle::Finalize(Napi::Env env) { release(env); }

void ModelHandle::release(Napi::Env env) {
  if (network_ == nullptr) return;
  Napi::MemoryManagement::AdjustExternalMemory(env, -network_->weight_bytes());
  network_.reset();
}

Napi::Value ModelHandle::load(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Array list = to_array(info[1], "arrays");
    const Napi::Object options = to_object(info[2], "options");
    return Environment::of(info.Env())
        .run<std::shared_ptr<Network>>(
            to_ticket(info[0]), {list},
            [arrays = to_named_arrays(list), architecture = stated_architecture(options),
             transform = to_transform(options), computation = to_computation(options)] {
              return Network::load(arrays, architecture, transform, computation);
            },
            wrap_network);
  });
}

Napi::Value ModelHandle::inspect(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Array list = to_array(info[1], "arrays");
    const Napi::Object options = to_object(info[2], "options");
    const auto convert = [](Napi::Env env, const Inspection& inspection) -> Napi::Value {
      const auto result = Napi::Object::New(env);
      if (inspection.architecture) {
        result.Set("variant", variant_name(*inspection.architecture));
        result.Set("width", inspection.architecture->width);
        result.Set("numClasses", static_cast<double>(inspection.architecture->num_classes));
      } else {
        result.Set("reason", inspection.reason);
      }
      result.Set("missing", from_strings(env, inspection.mismatch.missing));
      result.Set("reshaped", from_strings(env, inspection.mismatch.reshaped));
      result.Set("unexpected", from_strings(env, inspection.mismatch.unexpected));
      result.Set("notFinite", from_strings(env, inspection.not_finite));
      return result;
    };
    return Environment::of(info.Env())
        .run<Inspection>(
            to_ticket(info[0]), {list},
            [arrays = to_named_arrays(list), architecture = stated_architecture(options)] {
              return ghostnet::inspect(arrays, architecture);
            },
            convert);
  });
}

Napi::Value ModelHandle::create(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Object options = to_object(info[1], "options");
    std::optional<uint64_t> seed;
    if (!options.Get("seed").IsUndefined()) seed = static_cast<uint64_t>(to_int(options.Get("seed"), "seed"));
    return Environment::of(info.Env())
        .run<std::shared_ptr<Network>>(
            to_ticket(info[0]), {},
            [architecture = to_architecture(options), transform = to_transform(options), seed,
             computation = to_computation(options)] {
              return Network::create(architecture, transform, seed, computation);
            },
            wrap_network);
  });
}

std::shared_ptr<Network> ModelHandle::network() const {
  if (network_ == nullptr) throw Error(ErrorCode::GHOSTNET_DISPOSED, "The model was used after dispose()");
  return network_;
}

Napi::Value ModelHandle::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const auto model = network();
    const Architecture& architecture = model->architecture();
    const Transform& transform = model->transform();
    const auto layers = describe_layers(architecture, transform.input_size, transform.input_size);
    const auto result = Napi::Object::New(env);
    result.Set("variant", variant_name(architecture));
    result.Set("width", architecture.width);
    result.Set("stages", from_stages(env, architecture.stages));
    result.Set("numClasses", static_cast<double>(architecture.num_classes));
    result.Set("dropout", architecture.dropout);
    result.Set("features", static_cast<double>(kFeatureChannels));
    result.Set("parameters", static_cast<double>(count_parameters(layers)));
    result.Set("multiplyAdds", static_cast<double>(count_multiply_adds(layers)));
    result.Set("inputSize", static_cast<double>(transform.input_size));
    result.Set("crop", transform.crop);
    result.Set("interpolation", name_of(transform.interpolation));
    result.Set("mean", from_channels(env, transform.mean));
    result.Set("std", from_channels(env, transform.std));
    return result;
  });
}

Napi::Value ModelHandle::layers(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const int64_t height = to_int(info[0], "height");
    const int64_t width = to_int(info[1], "width");
    Network::check_input(DType::float32, {1, 3, height, width});
    const auto layers = describe_layers(network()->architecture(), height, width);
    const auto list = Napi::Array::New(env, layers.size());
    for (uint32_t index = 0; index < layers.size(); ++index) {
      const Layer& layer = layers[index];
      const auto item = Napi::Object::New(env);
      item.Set("name", layer.name);
      item.Set("type", layer.type);
      item.Set("detail", layer.detail);
      item.Set("output", from_shape(env, {layer.output.begin(), layer.output.end()}));
      item.Set("parameters", static_cast<double>(count_parameters({layer})));
      item.Set("multiplyAdds", static_cast<double>(layer.multiply_adds));
      list.Set(index, item);
    }
    return list;
  });
}

Napi::Value ModelHandle::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Array input = TensorHandle::array_of(info[1]);
    Network::check_input(input.dtype, input.shape);
    const auto used = network();
    return Environment::of(info.Env())
        .run<Array>(
            to_ticket(info[0]), {},
            [model = used, input, output = to_output(info[2]), threads = to_threads(info[3])] {
              return model->run(input.view(), output, threads);
            },
            TensorHandle::wrap, executor_of(*used));
  });
}

Napi::Value ModelHandle::classify(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    using Scores = std::vector<std::vector<ClassScore>>;
    const auto convert = [](Napi::Env env, const Scores& scores) -> Napi::Value {
      const auto list = Napi::Array::New(env, scores.size());
      for (uint32_t image = 0; image < scores.size(); ++image) {
        const auto classes = Napi::Array::New(env, scores[image].size());
        for (uint32_t rank = 0; rank < scores[image].size(); ++rank) {
          const auto item = Napi::Object::New(env);
          item.Set("index", static_cast<double>(scores[image][rank].index));
          item.Set("score", static_cast<double>(scores[image][rank].score));
          classes.Set(rank, item);
        }
        list.Set(image, classes);
      }
      return list;
    };
    const auto used = network();
    return Environment::of(info.Env())
        .run<Scores>(
            to_ticket(info[0]), {to_array(info[1], "images")},
            [model = used, images = to_images(info[1]), top_k = to_int(info[2], "topK"),
             threads = to_threads(info[3])] { return model->classify(images, top_k, threads); },
            convert, executor_of(*used));
  });
}

Napi::Value ModelHandle::prepare(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Environment::of(info.Env())
        .run<Array>(
            to_ticket(info[0]), {to_array(info[1], "images")},
            [model = network(), images = to_images(info[1]), threads = to_threads(info[2])] {
              return model->prepare(images, threads);
            },
            TensorHandle::wrap);
  });
}

Napi::Value ModelHandle::state(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    using State = std::map<std::string, Array>;
    return Environment::of(info.Env())
        .run<State>(
            to_ticket(info[0]), {}, [model = network()] { return model->state(); },
            [](Napi::Env env, State arrays) -> Napi::Value {
              const auto list = Napi::Array::New(env, arrays.size());
              uint32_t index = 0;
              for (auto& [name, array] : arrays) {
                const Napi::Array pair = Napi::Array::New(env, 2);
                pair.Set(0u, name);
                pair.Set(1u, TensorHandle::wrap(env, std::move(array)));
                list.Set(index++, pair);
              }
              return list;
            });
  });
}

void ModelHandle::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace ghostnet::addon
