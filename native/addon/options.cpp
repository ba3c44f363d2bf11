#include "addon/options.h"

#include "base/error.h"
#include "engine/threads.h"
#include "model/variant.h"

namespace ghostnet::addon {

namespace {

bool has(const Napi::Object& options, const char* name) { return !options.Get(name).IsUndefined(); }

std::array<double, 3> to_channels(const Napi::Value& value, const char* name) {
  const Napi::Array values = to_array(value, name);
  if (values.Length() != 3) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, std::string("The ") + name + " has the wrong length",
                std::to_string(values.Length()) + " numbers", "3 numbers, for red, green and blue");
  }
  return {to_number(values[0u], name), to_number(values[1u], name), to_number(values[2u], name)};
}

BlockSpec to_row(const Napi::Value& value) {
  const Napi::Array numbers = to_array(value, "a row of a stage");
  if (numbers.Length() != 5 && numbers.Length() != 6) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "A row of the stage table has the wrong length",
                std::to_string(numbers.Length()) + " numbers",
                "[kernel, expansion, out, seRatio, stride], and 1 for attention");
  }
  const int64_t attention = numbers.Length() == 6 ? to_int(numbers[5u], "attention") : 0;
  if (attention != 0 && attention != 1) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The attention of a row is out of range",
                std::to_string(attention), "1 with DFC attention, 0 without");
  }
  return {to_int(numbers[0u], "kernel"),     to_int(numbers[1u], "expansion"), to_int(numbers[2u], "out"),
          to_number(numbers[3u], "seRatio"), to_int(numbers[4u], "stride"),    attention == 1};
}

// A table is converted on JavaScript's thread: one that validate() would refuse is not converted first.
void check_length(const Napi::Value& value, const char* name) {
  const size_t length = to_array(value, name).Length();
  if (length <= kMaxRows) return;
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The stage table has too many rows",
              std::to_string(length), "at most " + std::to_string(kMaxRows));
}

StageTable to_stages(const Napi::Value& value) {
  check_length(value, "stages");
  return values_of<std::vector<BlockSpec>>(value, "stages", [](const Napi::Value& stage) {
    check_length(stage, "a stage");
    return values_of<BlockSpec>(stage, "a stage", to_row);
  });
}

}  // namespace

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

// Options that are left out keep the defaults of the struct. lib/native/device.ts has chosen the GPU.
Computation to_computation(const Napi::Object& options) {
  Computation computation;
  if (has(options, "backend")) computation.backend = to_one_of(options.Get("backend"), "backend", kBackends);
  if (has(options, "precision"))
    computation.precision = to_one_of(options.Get("precision"), "precision", kPrecisions);
  if (has(options, "gpu")) computation.gpu = static_cast<int>(to_int(options.Get("gpu"), "gpu"));
  return computation;
}

// Omitted options keep the defaults of the struct.
Transform to_transform(const Napi::Object& options) {
  Transform transform;
  if (has(options, "inputSize")) transform.input_size = to_int(options.Get("inputSize"), "inputSize");
  if (has(options, "crop")) transform.crop = to_number(options.Get("crop"), "crop");
  if (has(options, "mean")) transform.mean = to_channels(options.Get("mean"), "mean");
  if (has(options, "std")) transform.std = to_channels(options.Get("std"), "std");
  if (has(options, "interpolation")) {
    transform.interpolation = to_one_of(options.Get("interpolation"), "interpolation", kInterpolations);
  }
  return transform;
}

Architecture to_architecture(const Napi::Object& options) {
  Architecture architecture;
  if (has(options, "variant")) {
    const std::string name = to_string(options.Get("variant"), "variant");
    const auto found = find_variant(name);
    if (!found) {
      std::string known;
      for (const std::string& variant : variant_names()) known += variant + ", ";
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The variant is unknown", name,
                  known + "or such a name with another width in hundredths");
    }
    architecture = *found;
  } else {
    architecture.stages = ghostnet_v1_stages();
  }
  if (has(options, "stages")) architecture.stages = to_stages(options.Get("stages"));
  if (has(options, "width")) architecture.width = to_number(options.Get("width"), "width");
  if (has(options, "numClasses")) {
    architecture.num_classes = to_int(options.Get("numClasses"), "numClasses");
  }
  if (has(options, "dropout")) architecture.dropout = to_number(options.Get("dropout"), "dropout");
  validate(architecture);
  return architecture;
}

// Stages stated in a file are more reliable than stages inferred from its shapes.
std::optional<Architecture> stated_architecture(const Napi::Object& options) {
  if (!has(options, "stages")) return std::nullopt;
  return to_architecture(options);
}

}  // namespace ghostnet::addon
