/**
 * The options of JavaScript's calls as the values that the network takes. Omitted options keep the defaults
 * of the structs. All throw Error GHOSTNET_INVALID_ARGUMENT.
 */
#pragma once

#include <optional>

#include "addon/arguments.h"
#include "addon/environment.h"
#include "engine/computation.h"
#include "engine/runner.h"
#include "image/transform.h"
#include "model/architecture.h"

namespace ghostnet::addon {

Ticket to_ticket(const Napi::Value& value);

/** Environment::run of a call whose first argument is the ticket. */
template <typename Result>
Napi::Promise run_job(const Napi::CallbackInfo& info, Environment::Placement placement,
                      std::vector<Napi::Object> kept, std::function<Napi::Value(Napi::Env, Result)> convert,
                      std::function<Result(Team&)> work) {
  return Environment::of(info.Env())
      .run<Result>(to_ticket(info[0]), std::move(kept), std::move(work), std::move(convert),
                   std::move(placement));
}

/** From 1 to kMaxThreads. */
int to_threads(const Napi::Value& value);

/** "features", else logits. */
Output to_output(const Napi::Value& value);

/** backend, precision, gpu: the number that lib/native/device.ts has chosen. */
Computation to_computation(const Napi::Object& options);

/** inputSize, crop, mean, std, interpolation. */
Transform to_transform(const Napi::Object& options);

/** variant, stages, width, numClasses, dropout; validated. */
Architecture to_architecture(const Napi::Object& options);

/** The architecture that a file states, which knows more than its shapes; nothing if it states no stages. */
std::optional<Architecture> stated_architecture(const Napi::Object& options);

}  // namespace ghostnet::addon
