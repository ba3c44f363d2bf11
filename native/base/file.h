#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/array.h"

namespace ghostnet {

/**
 * Reads a whole regular file. Anything else (a folder, a device, a FIFO) is refused without being read.
 * @param path in the encoding of the file system
 * @param most the most bytes it may have
 * @param is_wanted told the first bytes, at most 16; if it is false, the rest is not read
 * @return null if the file is not wanted
 * @throws Error GHOSTNET_FILE_NOT_FOUND, GHOSTNET_FILE_UNREADABLE, GHOSTNET_OUT_OF_MEMORY
 */
std::shared_ptr<Buffer> read_file(const std::string& path, size_t most,
                                  bool (*is_wanted)(std::span<const uint8_t> start));

}  // namespace ghostnet
