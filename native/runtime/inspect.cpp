#include "runtime/inspect.h"

#include "base/error.h"

namespace ghostnet {

Inspection inspect(const Shapes& shapes, std::optional<Architecture> architecture) {
  Inspection inspection;
  try {
    if (!architecture) architecture = infer_architecture(shapes);
    architecture->design = see_design(shapes);
    architecture->form = see_form(shapes);
    inspection.mismatch = compare_parameters(*architecture, shapes);
    inspection.architecture = architecture;
  } catch (const Error& error) {
    inspection.reason = error.what();
    if (!error.found().empty()) inspection.reason += ": " + error.found();
  }
  return inspection;
}

}  // namespace ghostnet
