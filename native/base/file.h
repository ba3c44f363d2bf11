#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/array.h"

namespace ghostnet {

struct ByteLimit {
  int64_t bytes;
  const char* option;
};

/**
 * Reads a whole regular file. Anything else (a folder, a device, a FIFO) is refused without being read.
 * @param path in the encoding of the file system
 * @param most the most bytes it may have, and the option that sets it
 * @param is_wanted told the first bytes, at most 16; if it is false, the rest is not read
 * @return null if the file is not wanted
 * @throws Error GHOSTNET_FILE_NOT_FOUND, GHOSTNET_FILE_UNREADABLE, GHOSTNET_FILE_TOO_LARGE,
 * GHOSTNET_OUT_OF_MEMORY
 */
std::shared_ptr<Buffer> read_file(const std::string& path, const ByteLimit& most,
                                  bool (*is_wanted)(std::span<const uint8_t> start));

}  // namespace ghostnet
