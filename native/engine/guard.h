#pragma once

#include <functional>

namespace ghostnet {

/**
 * Runs work that may throw what LibTorch throws, and throws it on as an Error: GHOSTNET_OUT_OF_MEMORY when an
 * allocation failed, GHOSTNET_INVALID_ARGUMENT when an operator refused its arguments, GHOSTNET_INTERNAL for
 * anything else. Every way from the binding into LibTorch goes through here, which keeps the binding free of
 * its headers.
 */
void guard(const std::function<void()>& work);

}  // namespace ghostnet
