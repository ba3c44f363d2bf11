#include "runtime/inspect.h"

#include <torch/torch.h>

#include "base/error.h"
#include "runtime/guard.h"
#include "runtime/tensor_bridge.h"

namespace ghostnet {

Inspection inspect(const NamedArrays& arrays, std::optional<Architecture> architecture) {
  Inspection inspection;
  Shapes shapes;
  for (const auto& [name, array] : arrays) shapes[name] = array.shape;
  try {
    if (!architecture) architecture = infer_architecture(shapes);
    validate(*architecture);
    inspection.mismatch = compare_parameters(*architecture, shapes);
    inspection.architecture = architecture;
  } catch (const Error& error) {
    inspection.reason = error.what();
    if (!error.found().empty()) inspection.reason += ": " + error.found();
  }
  guard([&] {
    for (const auto& [name, array] : arrays) {
      const torch::Tensor values = borrow(array);
      if (values.is_floating_point() && !torch::isfinite(values).all().item<bool>())
        inspection.not_finite.push_back(name);
    }
  });
  return inspection;
}

}  // namespace ghostnet
