#include "engine/threads.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#endif

namespace ghostnet {

namespace {

#ifdef __linux__

std::optional<int> allowed_processors() {
  // A machine with more processors than cpu_set_t can hold needs a larger set.
  for (size_t count = CPU_SETSIZE; count <= (size_t{1} << 16); count *= 2) {
    cpu_set_t* set = CPU_ALLOC(count);
    if (set == nullptr) return std::nullopt;
    const size_t bytes = CPU_ALLOC_SIZE(count);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int processors = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return processors;
  }
  return std::nullopt;
}

// Both versions of cgroup give a quota and a period in microseconds.
std::optional<double> quota_of(double quota, double period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<double> read_quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  return quota_of(std::strtod(quota.c_str(), nullptr), period);
}

std::optional<double> read_quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  return quota_of(quota, period);
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

#else

std::optional<int> allowed_processors() { return std::nullopt; }

#endif

}  // namespace

// Inside a container, the host's path may not exist. The root of the mount is then the container's own group,
// so the root is always read.
std::optional<double> cgroup_quota(const std::string& membership, const std::string& mount) {
#ifdef __linux__
  std::ifstream groups(membership);
  std::optional<double> tightest;
  std::string line;
  while (std::getline(groups, line)) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    while (true) {
      if (path == "/") path.clear();
      tightest = smaller(tightest, v2 ? read_quota_v2(mount + path) : read_quota_v1(mount + "/cpu" + path));
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
  return tightest;
#else
  static_cast<void>(membership);
  static_cast<void>(mount);
  return std::nullopt;
#endif
}

void lower_priority() {
#ifdef __linux__
  // Linux has a priority for each thread, and takes 0 for the calling one.
  constexpr int kLower = 10;
  setpriority(PRIO_PROCESS, 0, std::min(getpriority(PRIO_PROCESS, 0) + kLower, 19));
#endif
}

int default_threads() {
  int threads = allowed_processors().value_or(static_cast<int>(std::thread::hardware_concurrency()));
  if (const auto quota = cgroup_quota()) threads = std::min(threads, static_cast<int>(std::ceil(*quota)));
  return std::clamp(threads, 1, kMaxThreads);
}

}  // namespace ghostnet
