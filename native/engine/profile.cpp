#include "engine/profile.h"

#include <cstdio>
#include <cstdlib>
#include <list>
#include <mutex>
#include <string_view>

namespace ghostnet {

namespace {

std::mutex profiles_mutex;

std::list<Profile>& profiles() {
  // Never destroyed, because a report may be requested while the process exits.
  static auto* all = new std::list<Profile>();
  return *all;
}

}  // namespace

bool Profile::wanted() {
  static const bool wanted = [] {
    const char* value = std::getenv("GHOSTNET_PROFILE");
    return value != nullptr && std::string_view(value) == "1";
  }();
  return wanted;
}

Profile& Profile::titled(const std::string& title) {
  const std::lock_guard lock(profiles_mutex);
  for (Profile& profile : profiles()) {
    if (profile.title_ == title) return profile;
  }
  Profile& made = profiles().emplace_back();
  made.title_ = title;
  return made;
}

std::string Profile::report() {
  const std::lock_guard lock(profiles_mutex);
  std::string text;
  for (const Profile& profile : profiles()) {
    if (profile.images_ > 0) text += profile.table();
  }
  return text;
}

size_t Profile::add_line(const std::string& name, int64_t multiply_adds, int64_t bytes) {
  Line& line = lines_.emplace_back();
  line.name = name;
  line.multiply_adds = multiply_adds;
  line.bytes = bytes;
  return lines_.size() - 1;
}

std::string Profile::table() const {
  double total = 0;
  for (const Line& line : lines_) total += static_cast<double>(line.nanoseconds);
  const auto images = static_cast<double>(images_);
  char row[160];
  std::string text;
  const auto print = [&](const char* name, double nanoseconds, int64_t multiply_adds, int64_t bytes) {
    const double time = nanoseconds / images;
    std::snprintf(row, sizeof row, "%-32s %9.1f %6.1f", name, time / 1e3,
                  total > 0 ? 100 * nanoseconds / total : 0);
    text += row;
    if (time > 0 && bytes > 0) {
      std::snprintf(row, sizeof row, " %9.1f %9.1f %9.1f", 2 * static_cast<double>(multiply_adds) / time,
                    static_cast<double>(bytes) / time, static_cast<double>(bytes) / 1024);
      text += row;
    }
    text += '\n';
  };
  std::snprintf(row, sizeof row, "\n%s: %lld images\n%-32s %9s %6s %9s %9s %9s\n", title_.c_str(),
                static_cast<long long>(images_), "step", "us/image", "%", "GFLOP/s", "GB/s", "KiB");
  text += row;
  int64_t multiply_adds = 0;
  int64_t bytes = 0;
  for (const Line& line : lines_) {
    print(line.name.c_str(), static_cast<double>(line.nanoseconds), line.multiply_adds, line.bytes);
    multiply_adds += line.multiply_adds;
    bytes += line.bytes;
  }
  print("all, threads added up", total, multiply_adds, bytes);
  return text;
}

}  // namespace ghostnet
