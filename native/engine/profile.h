/**
 * The time that runs spend in each step, recorded if GHOSTNET_PROFILE is 1.
 */
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

namespace ghostnet {

/** The steps of a plan, with the time that all threads together have spent in each. */
class Profile {
 public:
  /** Whether GHOSTNET_PROFILE is 1; read once. */
  static bool wanted();

  /** The profile with this title, made on first use and kept until the process exits. */
  static Profile& titled(const std::string& title);

  /** The tables of all profiles that have counted an image; empty if there are none. */
  static std::string report();

  /** Adds a line. @return its number */
  size_t add_line(const std::string& name, int64_t multiply_adds, int64_t bytes);
  bool empty() const { return lines_.empty(); }

  void count_images(int64_t images) { images_ += images; }
  void add_time(size_t line, std::chrono::nanoseconds time) { lines_[line].nanoseconds += time.count(); }

 private:
  struct Line {
    std::string name;
    int64_t multiply_adds, bytes;  ///< per image
    std::atomic<int64_t> nanoseconds{0};
  };
  std::string table() const;

  std::string title_;
  std::deque<Line> lines_;
  std::atomic<int64_t> images_{0};
};

/** Adds its lifetime to a line; does nothing without a profile. */
class ProfileTimer {
 public:
  ProfileTimer(Profile* profile, size_t line) : profile_(profile), line_(line) {
    if (profile_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  ~ProfileTimer() {
    if (profile_ != nullptr) profile_->add_time(line_, std::chrono::steady_clock::now() - start_);
  }
  ProfileTimer(const ProfileTimer&) = delete;
  ProfileTimer& operator=(const ProfileTimer&) = delete;

 private:
  Profile* profile_;
  size_t line_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace ghostnet
