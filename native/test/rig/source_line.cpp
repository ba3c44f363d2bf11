#include "source_line.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>

extern "C" char __executable_start __attribute__((weak));  // the address of the program

namespace ghostnet::cuda_on_cpu {

std::string source_line(const void* address) {
  static std::map<const void*, std::string> known;
  const auto [entry, is_new] = known.try_emplace(address, "unknown line");
  if (!is_new) return entry->second;
  char command[128];
  // One byte back: the call, not the instruction after it.
  std::snprintf(command, sizeof command, "addr2line -e /proc/%d/exe %#tx 2>/dev/null",
                static_cast<int>(getpid()), static_cast<const char*>(address) - 1 - &__executable_start);
  if (FILE* lines = popen(command, "r")) {
    char line[512];
    if (std::fgets(line, sizeof line, lines) != nullptr && line[0] != '?') {
      line[std::strcspn(line, " \n")] = '\0';
      const char* slash = std::strrchr(line, '/');
      entry->second = slash == nullptr ? line : slash + 1;
    }
    pclose(lines);
  }
  return entry->second;
}

}  // namespace ghostnet::cuda_on_cpu
