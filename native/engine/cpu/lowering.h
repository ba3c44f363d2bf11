/**
 * Turns a graph into the steps of an image, for one type of activations.
 */
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "engine/cpu/image_plan.h"
#include "engine/cpu/steps/attention_step.h"
#include "engine/cpu/steps/dense_steps.h"
#include "engine/cpu/steps/depthwise_steps.h"
#include "engine/cpu/steps/first_and_last_steps.h"
#include "engine/cpu/steps/ghost_module_step.h"
#include "engine/operations.h"

namespace ghostnet {

/** The weights of a node of the graph, packed; nothing for a node that has none. */
template <typename Value>
using PackedNode = std::variant<std::monostate, cpu::PackedProduct<Value>, cpu::PackedDepthwise<Value>,
                                cpu::PackedGhostModule<Value>, cpu::PackedRows>;

/** Those of a network, in the order of its nodes. */
template <typename Value>
using PackedNodes = std::vector<PackedNode<Value>>;

/** Goes through the operations, up to the mean before the head, and notes the steps and the buffers of each.
 */
template <typename Value>
class Lowering {
 public:
  Lowering(const Graph& graph, const PackedNodes<Value>& weights, const cpu::Kernels& kernels, int team_size)
      : graph_(graph),
        weights_(weights),
        kernels_(*kernels.row<Value>()),
        float32_(*kernels.float32),
        team_size_(team_size),
        operations_(operations_of(graph)),
        readers_(operations_.size()),
        results_(operations_.size(), -1),
        sums_(operations_.size()) {
    for (size_t index = 0; index < operations_.size(); ++index) {
      const Operation& operation = operations_[index];
      for (const auto& read : {operation.input, operation.gate, operation.attention, operation.residual}) {
        if (read) readers_[*read].push_back(index);
      }
    }
    planned_.value_size = sizeof(Value);
  }

  PlannedSteps steps(DType input) {
    for (size_t index = 0; operations_[index].node != graph_.features; ++index) lower(index, input);
    return std::move(planned_);
  }

 private:
  const Node& node_of(size_t operation) const { return graph_.nodes[operations_[operation].node]; }
  template <typename Weights>
  const Weights& weights_of(size_t operation) const {
    return std::get<Weights>(weights_[operations_[operation].node]);
  }
  const Plane& plane_of(std::optional<size_t> operation) const { return node_of(*operation).output; }
  int result_of(std::optional<size_t> operation) const { return results_[*operation]; }

  // The only operation that reads a result; nothing if several do.
  std::optional<size_t> reader_of(size_t operation) const {
    return readers_[operation].size() == 1 ? std::optional(readers_[operation][0]) : std::nullopt;
  }
  bool is_read_by(size_t operation, NodeKind kind) const {
    const auto reader = reader_of(operation);
    return reader && node_of(*reader).kind == kind;
  }

  void lower(size_t index, DType input) {
    const Node& node = node_of(index);
    switch (node.kind) {
      case NodeKind::stem:
        return stem(index, input);
      case NodeKind::ghost_module:
      case NodeKind::separable:
        return ghost_module(index);
      case NodeKind::depthwise:
        return depthwise(index);
      case NodeKind::pointwise:
        return pointwise(index);
      case NodeKind::mean:
      case NodeKind::halve:
        return;  // part of the steps around it
      case NodeKind::dense:
        return dense(index);
      case NodeKind::scale:
      case NodeKind::attend:
      case NodeKind::add:
        break;  // no operations
    }
    refuse_node(node, "CPU engine");
  }

  // Rows, if the extra rows above and below that each thread must compute are few compared with its own; else
  // channels.
  Split split_of(const Plane& plane) const {
    constexpr int64_t kRowsWorthSplitting = 7;
    return plane.height >= kRowsWorthSplitting * team_size_ ? Split::rows : Split::channels;
  }

  int buffer(const Plane& plane, int64_t value_size = sizeof(Value)) {
    planned_.buffers.push_back({plane.row() * value_size, plane.height, plane.height});
    return static_cast<int>(planned_.buffers.size()) - 1;
  }

  // The row sums of a result, if a mean reads it.
  std::optional<int> row_sums(size_t index) {
    for (const size_t reader : readers_[index]) {
      if (node_of(reader).kind != NodeKind::mean) continue;
      const Plane& plane = plane_of(index);
      sums_[index] = buffer({plane.channels, plane.height, 1}, sizeof(float));
    }
    return sums_[index];
  }

  /** @param read,written buffers; the previous step needs a barrier after it only if this one uses what it
   * wrote */
  void add(std::unique_ptr<Step> step, std::vector<std::optional<int>> read,
           std::vector<std::optional<int>> written) {
    std::vector<int> used;
    for (const auto& list : {read, written}) {
      for (const auto& number : list) {
        if (number) used.push_back(*number);
      }
    }
    const bool waits =
        std::ranges::any_of(used, [&](int number) { return std::ranges::count(written_, number) > 0; });
    if (!planned_.steps.empty()) planned_.steps.back()->barrier_after = waits;
    if (waits) written_.clear();
    for (const auto& number : written) {
      if (number) written_.push_back(*number);
    }
    planned_.steps.push_back(std::move(step));
    planned_.used.push_back(std::move(used));
  }

  void stem(size_t index, DType input) {
    const int output = results_[index] = buffer(plane_of(index));
    add(std::make_unique<StemStep<Value>>(node_of(index), kernels_,
                                          weights_of<cpu::PackedProduct<Value>>(index), input, graph_.image,
                                          output),
        {}, {output});
  }

  void ghost_module(size_t index) {
    const Operation& operation = operations_[index];
    const auto& module = weights_of<cpu::PackedGhostModule<Value>>(index);
    const Plane& in = plane_of(operation.input);
    GhostModuleBuffers buffers = {.input = result_of(operation.input), .output = -1};
    if (operation.gate) buffers.gate = result_of(operation.gate);
    if (operation.attention) buffers.attention = result_of(operation.attention);
    if (operation.residual) buffers.residual = result_of(operation.residual);
    // A sum replaces an addend that no other operation reads.
    const bool in_place = operation.residual && reader_of(*operation.residual);
    buffers.output = results_[index] = in_place ? *buffers.residual : buffer(plane_of(index));
    buffers.row_sums = row_sums(index);
    const cpu::GhostModuleMemory<Value> memory(kernels_, module);
    if (team_size_ == 1 && !memory.reads_output(operation.attention || operation.residual)) {
      buffers.kept = static_cast<int>(planned_.buffers.size());
      // Its ring grows if the step is chained.
      planned_.buffers.push_back(
          {memory.kept_row_size(in.width) * static_cast<int64_t>(sizeof(Value)), in.height, 0});
    }
    const Plane low = operation.attention ? plane_of(operation.attention) : Plane{};
    add(std::make_unique<GhostModuleStep<Value>>(node_of(index), kernels_, module, in, low, buffers,
                                                 split_of(in)),
        {buffers.input, buffers.gate, buffers.attention, buffers.residual, buffers.kept},
        {buffers.output, buffers.row_sums});
  }

  void depthwise(size_t index) {
    if (is_read_by(index, NodeKind::pointwise)) return;  // part of that step
    const auto input = operations_[index].input;
    if (node_of(*input).kind == NodeKind::pointwise) return attention(index);
    const int output = results_[index] = buffer(plane_of(index));
    const auto sums = row_sums(index);
    add(std::make_unique<DepthwiseStep<Value>>(
            node_of(index), kernels_, weights_of<cpu::PackedDepthwise<Value>>(index), plane_of(input),
            result_of(input), output, sums, split_of(plane_of(index))),
        {result_of(input)}, {output, sums});
  }

  void attention(size_t index) {
    const size_t pointwise = *operations_[index].input;
    const size_t halve = *operations_[pointwise].input;
    const Node& node = node_of(index);
    if (node_of(halve).kind != NodeKind::halve || node.convolutions[0].kernel.height != 1) {
      refuse_node(node, "CPU engine");
    }
    const auto from = operations_[halve].input;
    const int output = results_[index] = buffer(node.output);
    add(std::make_unique<AttentionStep<Value>>(node, kernels_,
                                               weights_of<cpu::PackedProduct<Value>>(pointwise),
                                               weights_of<cpu::PackedDepthwise<Value>>(index), plane_of(from),
                                               result_of(from), output, split_of(node.output)),
        {result_of(from)}, {output});
  }

  void pointwise(size_t index) {
    const size_t input = *operations_[index].input;
    if (node_of(input).kind == NodeKind::halve && is_read_by(index, NodeKind::depthwise)) {
      return;  // part of that step
    }
    const auto& weights = weights_of<cpu::PackedProduct<Value>>(index);
    if (is_read_by(index, NodeKind::mean)) {
      add(std::make_unique<LastStep<Value>>(node_of(index), kernels_, weights, plane_of(input),
                                            result_of(input)),
          {result_of(input)}, {});
      return;
    }
    if (node_of(input).kind != NodeKind::depthwise) refuse_node(node_of(index), "CPU engine");
    const auto from = operations_[input].input;
    const int output = results_[index] = buffer(plane_of(index));
    add(std::make_unique<ShortcutStep<Value>>(
            node_of(input), node_of(index), kernels_, weights_of<cpu::PackedDepthwise<Value>>(input), weights,
            plane_of(from), result_of(from), output, split_of(plane_of(index))),
        {result_of(from)}, {output});
  }

  void dense(size_t index) {
    const size_t input = *operations_[index].input;
    const auto& weights = weights_of<cpu::PackedRows>(index);
    const int output = results_[index] = buffer(plane_of(index), sizeof(float));
    if (node_of(input).kind != NodeKind::mean) {
      add(std::make_unique<DenseStep>(node_of(index), float32_, weights, result_of(input), output),
          {result_of(input)}, {output});
      return;
    }
    const size_t summed = *operations_[input].input;
    if (!sums_[summed]) refuse_node(node_of(input), "CPU engine");
    add(std::make_unique<MeanDenseStep>(node_of(index), float32_, weights, plane_of(summed), *sums_[summed],
                                        output),
        {sums_[summed]}, {output});
  }

  const Graph& graph_;
  const PackedNodes<Value>& weights_;
  const cpu::KernelsOn<Value>& kernels_;
  const cpu::Float32Kernels& float32_;
  int team_size_;
  std::vector<Operation> operations_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<int> results_;              ///< the buffer of the result of each operation
  std::vector<std::optional<int>> sums_;  ///< and of its row sums
  std::vector<int> written_;              ///< buffers written since the last barrier
  PlannedSteps planned_;
};

}  // namespace ghostnet
