/**
 * Arrays by name, such as those of a state dict, as JavaScript passes and gets them.
 */
#pragma once

#include <napi.h>

#include <map>
#include <string>

#include "base/array.h"

namespace ghostnet::addon {

using Arrays = std::map<std::string, Array>;

/** { name, dtype, shape, data }[]. The views read the memory of the data. @throws Error as to_view */
std::map<std::string, ArrayView> to_named_arrays(const Napi::Array& list);

/** [name, NativeTensor][] */
Napi::Value from_arrays(Napi::Env env, Arrays arrays);

}  // namespace ghostnet::addon
