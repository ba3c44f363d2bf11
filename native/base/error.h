/**
 * The error type of the native side. In JavaScript it becomes a GhostNetError with the same code.
 */
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "error_codes.h"  // generated from lib/errors.ts

namespace ghostnet {

/** An error with a stable code, the wrong value and the expected value. The texts are phrases without a full
 * stop. */
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& what, std::string found = {}, std::string expected = {})
      : std::runtime_error(what), code_(code), found_(std::move(found)), expected_(std::move(expected)) {}

  ErrorCode code() const { return code_; }
  const std::string& found() const { return found_; }
  const std::string& expected() const { return expected_; }

 private:
  ErrorCode code_;
  std::string found_;
  std::string expected_;
};

/** A shape in the form used in messages: "[8,3,224,224]". */
inline std::string text_of(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ',';
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace ghostnet
