#pragma once

#include <string>

namespace ghostnet::cuda_on_cpu {

/** "file:line" of a return address in this program, or "unknown line" without binutils' addr2line. */
std::string source_line(const void* address);

}  // namespace ghostnet::cuda_on_cpu
