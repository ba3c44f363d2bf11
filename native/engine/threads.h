#pragma once

#include <optional>
#include <string>

namespace ghostnet {

/**
 * The default number of threads of a run: the number of processors this process may use (its affinity mask),
 * at most the CPU quota of its control group (cgroup v1 or v2), rounded up, and at least 1.
 */
int default_threads();

/** Lowers the priority of the calling thread, where the system has one for each thread. */
void lower_priority();

/** The largest number of threads that a caller can request. */
inline constexpr int kMaxThreads = 256;

/**
 * The CPU quota, in processors, of the control group of this process: the lowest quota on the path to the
 * root.
 * @param membership the file that names the group
 * @param mount the mount point of the groups; version 1 has its controller in the folder `cpu` there
 * @return nothing if there is no limit
 */
std::optional<double> cgroup_quota(const std::string& membership = "/proc/self/cgroup",
                                   const std::string& mount = "/sys/fs/cgroup");

}  // namespace ghostnet
