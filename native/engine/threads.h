#pragma once

#include <optional>
#include <string>

namespace ghostnet {

/**
 * How many threads a run takes unless told otherwise: the processors this process may use (its affinity
 * mask), at most the CPU quota of its control group (cgroup v1 or v2), rounded up, and at least 1.
 */
int default_threads();

/** The largest number of threads that can be asked for. */
inline constexpr int kMaxThreads = 256;

/**
 * The CPU quota in processors of the control group this process is in, the tightest on the way to the root.
 * @param membership the file that says which group that is
 * @param mount where the groups are mounted; version 1 has its controller in a folder `cpu` there
 * @return nothing where there is no limit
 */
std::optional<double> cgroup_quota(const std::string& membership = "/proc/self/cgroup",
                                   const std::string& mount = "/sys/fs/cgroup");

}  // namespace ghostnet
