#include "runtime/guard.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "base/error.h"

namespace ghostnet {

namespace {

// The first line describes the failure; the rest is a stack of addresses.
std::string first_line(const char* text) {
  const std::string message(text);
  return message.substr(0, message.find('\n'));
}

}  // namespace

void guard(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory");
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory",
                first_line(error.what_without_backtrace()));
  } catch (const c10::ValueError& error) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The operator rejected its arguments",
                first_line(error.what_without_backtrace()));
  } catch (const c10::Error& error) {
    // The CPU allocator has no separate error type.
    const std::string message = first_line(error.what_without_backtrace());
    if (std::string(error.what_without_backtrace()).find("can't allocate memory") != std::string::npos) {
      throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory", message);
    }
    throw Error(ErrorCode::GHOSTNET_INTERNAL, "LibTorch failed", message);
  } catch (const std::exception& error) {
    throw Error(ErrorCode::GHOSTNET_INTERNAL, "A run failed", first_line(error.what()));
  }
}

}  // namespace ghostnet
