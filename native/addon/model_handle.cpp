#include "addon/model_handle.h"

#include <utility>

#include "addon/environment.h"
#include "addon/image_argument.h"
#include "addon/named_arrays.h"
#include "addon/options.h"
#include "addon/tensor_handle.h"
#include "base/error.h"
#include "model/layers.h"
#include "model/variant.h"
#include "runtime/inspect.h"

namespace ghostnet::addon {

namespace {

/** Where a run of a network takes place. */
Environment::Placement placement_of(const Network& network, int threads) {
  if (network.gpu()) return {Executor::gpu(*network.gpu())};
  return {Executor::cpu(), threads};
}

Napi::Array from_stages(Napi::Env env, const StageTable& table) {
  return list_of(env, table, [&](const std::vector<BlockSpec>& rows) {
    return list_of(env, rows, [&](const BlockSpec& block) {
      std::vector<double> row = {static_cast<double>(block.kernel), static_cast<double>(block.expansion),
                                 static_cast<double>(block.out), block.se_ratio,
                                 static_cast<double>(block.stride)};
      if (block.attention) row.push_back(1);
      return from_numbers(env, row);
    });
  });
}

Shapes to_shapes(const Napi::Array& list) {
  Shapes shapes;
  for (uint32_t index = 0; index < list.Length(); ++index) {
    const Napi::Object array = to_object(list[index], "array");
    shapes.emplace(to_string(array.Get("name"), "name"), to_shape(array.Get("shape")));
  }
  return shapes;
}

Napi::Value wrap_network(Napi::Env env, std::shared_ptr<Network> network) {
  return Environment::of(env).model_class.New({Napi::External<std::shared_ptr<Network>>::New(env, &network)});
}

std::vector<Array> to_inputs(const Napi::Value& value) {
  std::vector<Array> inputs = values_of<Array>(value, "images", TensorHandle::array_of);
  if (inputs.empty()) throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "A batch has no image");
  return inputs;
}

}  // namespace

Napi::Function ModelHandle::define(Napi::Env env) {
  return DefineClass(env, "NativeModel",
                     {
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::describe>>("describe"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::layers>>("layers"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::run>>("run"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::classify>>("classify"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::run_images>>("runImages"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::prepare>>("prepare"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::check_sides>>("checkSides"),
                         InstanceMethod<&ModelHandle::safely<&ModelHandle::state>>("state"),
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
  const Napi::Array list = to_array(info[1], "arrays");
  const Napi::Object options = to_object(info[2], "options");
  return run_job<std::shared_ptr<Network>>(
      info, {Executor::cpu()}, {list}, wrap_network,
      [arrays = to_named_arrays(list), architecture = stated_architecture(options),
       transform = to_transform(options), computation = to_computation(options)](Team&) {
        return Network::load(arrays, architecture, transform, computation);
      });
}

Napi::Value ModelHandle::inspect(const Napi::CallbackInfo& info) {
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
    return result;
  };
  return run_job<Inspection>(info, {Executor::cpu()}, {}, convert,
                             [shapes = to_shapes(list), architecture = stated_architecture(options)](Team&) {
                               return ghostnet::inspect(shapes, architecture);
                             });
}

Napi::Value ModelHandle::create(const Napi::CallbackInfo& info) {
  const Napi::Object options = to_object(info[1], "options");
  std::optional<uint64_t> seed;
  if (!options.Get("seed").IsUndefined()) seed = static_cast<uint64_t>(to_int(options.Get("seed"), "seed"));
  return run_job<std::shared_ptr<Network>>(
      info, {Executor::cpu()}, {}, wrap_network,
      [architecture = to_architecture(options), transform = to_transform(options), seed,
       computation = to_computation(options)](Team&) {
        return Network::create(architecture, transform, seed, computation);
      });
}

std::shared_ptr<Network> ModelHandle::network() const {
  if (network_ == nullptr) throw Error(ErrorCode::GHOSTNET_DISPOSED, "The model was used after dispose()");
  return network_;
}

Napi::Value ModelHandle::describe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto model = network();
  const Architecture& architecture = model->architecture();
  const Transform& transform = model->transform();
  const auto layers = describe_layers(architecture, transform.input_size, transform.input_size);
  const auto result = Napi::Object::New(env);
  result.Set("variant", variant_name(architecture));
  result.Set("form", name_of(architecture.form));
  result.Set("width", architecture.width);
  result.Set("stages", from_stages(env, architecture.stages));
  result.Set("numClasses", static_cast<double>(architecture.num_classes));
  result.Set("dropout", architecture.dropout);
  result.Set("features", static_cast<double>(kFeatureChannels));
  result.Set("parameters", static_cast<double>(count_parameters(layers)));
  result.Set("multiplyAdds", static_cast<double>(count_multiply_adds(layers)));
  result.Set("leastSide", static_cast<double>(least_side(architecture)));
  result.Set("inputSize", static_cast<double>(transform.input_size));
  result.Set("crop", transform.crop);
  result.Set("interpolation", name_of(transform.interpolation));
  result.Set("mean", from_numbers(env, {transform.mean.begin(), transform.mean.end()}));
  result.Set("std", from_numbers(env, {transform.std.begin(), transform.std.end()}));
  return result;
}

Napi::Value ModelHandle::layers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int64_t height = to_int(info[0], "height");
  const int64_t width = to_int(info[1], "width");
  network()->check_input(DType::float32, {1, 3, height, width});
  const auto layers = describe_layers(network()->architecture(), height, width);
  return list_of(env, layers, [&](const Layer& layer) {
    const auto item = Napi::Object::New(env);
    item.Set("name", layer.name);
    item.Set("type", layer.type);
    item.Set("detail", layer.detail);
    item.Set("output", from_shape(env, {layer.output.begin(), layer.output.end()}));
    item.Set("parameters", static_cast<double>(count_parameters({layer})));
    item.Set("multiplyAdds", static_cast<double>(layer.multiply_adds));
    return item;
  });
}

Napi::Value ModelHandle::run(const Napi::CallbackInfo& info) {
  const Array input = TensorHandle::array_of(info[1]);
  const auto used = network();
  used->check_input(input.dtype, input.shape);
  return run_job<Array>(info, placement_of(*used, to_threads(info[3])), {}, TensorHandle::wrap,
                        [model = used, input, output = to_output(info[2])](Team& team) {
                          return model->run(input.view(), output, team);
                        });
}

Napi::Value ModelHandle::classify(const Napi::CallbackInfo& info) {
  using Scores = std::vector<std::vector<ClassScore>>;
  const auto convert = [](Napi::Env env, const Scores& scores) -> Napi::Value {
    return list_of(env, scores, [&](const std::vector<ClassScore>& classes) {
      return list_of(env, classes, [&](const ClassScore& score) {
        const auto item = Napi::Object::New(env);
        item.Set("index", static_cast<double>(score.index));
        item.Set("score", static_cast<double>(score.score));
        return item;
      });
    });
  };
  const auto used = network();
  return run_job<Scores>(info, placement_of(*used, to_threads(info[3])), {}, convert,
                         [model = used, images = to_inputs(info[1]), top_k = to_int(info[2], "topK")](
                             Team& team) { return model->classify(images, top_k, team); });
}

Napi::Value ModelHandle::run_images(const Napi::CallbackInfo& info) {
  const auto used = network();
  return run_job<Array>(info, placement_of(*used, to_threads(info[3])), {}, TensorHandle::wrap,
                        [model = used, images = to_inputs(info[1]), output = to_output(info[2])](Team& team) {
                          return model->run_images(images, output, team);
                        });
}

/** checkSides(height, width): throws if an image of these sides cannot be resized */
Napi::Value ModelHandle::check_sides(const Napi::CallbackInfo& info) {
  plan_crop(network()->transform(), to_int(info[0], "height"), to_int(info[1], "width"));
  return info.Env().Undefined();
}

Napi::Value ModelHandle::prepare(const Napi::CallbackInfo& info) {
  ImageArgument image = to_image(info[1]);
  PrepareOptions options = to_prepare_options(to_object(info[2], "options"));
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  options.cancelled = cancelled.get();
  const auto convert = [own = std::move(image.own)](Napi::Env env, PreparedImage prepared) -> Napi::Value {
    // Another decoder needs the bytes that this one leaves to it.
    const bool is_read = prepared.input.memory != nullptr;
    if (own != nullptr && is_read) own->Value().As<Napi::ArrayBuffer>().Detach();
    const auto result = Napi::Object::New(env);
    if (prepared.input.memory != nullptr) result.Set("input", TensorHandle::wrap(env, prepared.input));
    if (prepared.file != nullptr) {
      const auto size = static_cast<int64_t>(prepared.file->size());
      result.Set("file", TensorHandle::wrap(env, {DType::uint8, {size}, prepared.file}));
    }
    result.Set("scale", prepared.scale);
    result.Set("milliseconds", prepared.milliseconds);
    return result;
  };
  return run_job<PreparedImage>(info, {Executor::cpu(), 1, true, cancelled}, std::move(image.kept), convert,
                                [transform = network()->transform(), source = std::move(image.source),
                                 copy = std::move(image.copy), options, cancelled](Team&) {
                                  PreparedImage prepared = ghostnet::prepare(source, transform, options);
                                  // Another decoder takes the bytes as they were at the call.
                                  if (prepared.input.memory == nullptr && copy != nullptr)
                                    prepared.file = copy;
                                  return prepared;
                                });
}

Napi::Value ModelHandle::state(const Napi::CallbackInfo& info) {
  const auto form =
      to_string(info[1], "form") == "deployed" ? Network::StateForm::deployed : Network::StateForm::own;
  return run_job<Arrays>(info, {Executor::cpu()}, {}, from_arrays,
                         [model = network(), form](Team&) { return model->state(form); });
}

void ModelHandle::dispose(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace ghostnet::addon
