#include "call.h"

namespace ghostnet::cuda {

namespace {

struct Launcher {
  CUstream_st* stream;

  LaunchResult operator()(const GpuGhostCall& module) const { return launch_ghost_module(module, stream); }
  LaunchResult operator()(const GhostModuleInTwo& module) const {
    return launch_ghost_module_in_two(module.call, stream);
  }
  template <class Layer>
  LaunchResult operator()(const Layer& layer) const {
    return launch_layer(layer, stream);
  }
};

}  // namespace

LaunchResult launch(const Call& call, CUstream_st* stream) { return std::visit(Launcher{stream}, call); }

}  // namespace ghostnet::cuda
