#pragma once

namespace ghostnet {

/**
 * How many threads a run takes unless told otherwise: the processors this process may use (its affinity
 * mask), at most the CPU quota of its control group (cgroup v1 or v2), rounded up, and at least 1.
 */
int default_threads();

/** The largest number of threads that can be asked for. */
inline constexpr int kMaxThreads = 256;

}  // namespace ghostnet
