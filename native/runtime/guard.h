#pragma once

#include <functional>

namespace ghostnet {

/**
 * Runs work that may throw LibTorch's exceptions, and rethrows them as an Error: GHOSTNET_OUT_OF_MEMORY if an
 * allocation failed, GHOSTNET_INVALID_ARGUMENT if an operator rejected its arguments, GHOSTNET_INTERNAL
 * otherwise. Every call from the binding into LibTorch goes through here, so the binding needs none of its
 * headers.
 */
void guard(const std::function<void()>& work);

}  // namespace ghostnet
