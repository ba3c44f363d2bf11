#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace ghostnet {

namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  throw Error(missing ? ErrorCode::GHOSTNET_FILE_NOT_FOUND : ErrorCode::GHOSTNET_FILE_UNREADABLE,
              "The file " + path + " cannot be read", std::generic_category().message(error));
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

/** An open file, closed at the end of its scope. */
class File {
 public:
  // A FIFO without a writer must not hold up the thread.
  explicit File(const std::string& path) : handle_(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (handle_ < 0) fail(path, errno);
  }
  ~File() { close(handle_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int handle() const { return handle_; }

 private:
  int handle_;
};

/** Reads until the bytes are full or the file ends. @return the bytes read */
size_t read_up_to(const File& file, const std::string& path, std::byte* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = read(file.handle(), bytes + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, errno);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace

std::shared_ptr<Buffer> read_file(const std::string& path, const ByteLimit& most,
                                  bool (*is_wanted)(std::span<const uint8_t> start)) {
  const File file(path);
  struct stat status{};
  if (fstat(file.handle(), &status) != 0) fail(path, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::GHOSTNET_FILE_UNREADABLE, "The file " + path + " cannot be read",
                kind_of(status.st_mode), "a regular file");
  }
  if (status.st_size > most.bytes) {
    throw Error(ErrorCode::GHOSTNET_FILE_TOO_LARGE, "The file " + path + " is too large",
                std::to_string(status.st_size) + " bytes",
                "at most " + std::to_string(most.bytes) + " bytes, the option " + most.option);
  }
  const auto size = static_cast<size_t>(status.st_size);
  std::array<std::byte, 16> start;
  const size_t started = read_up_to(file, path, start.data(), std::min(size, start.size()));
  if (!is_wanted({reinterpret_cast<const uint8_t*>(start.data()), started})) return nullptr;
  auto bytes = std::make_shared<Buffer>(size);
  std::copy_n(start.data(), started, bytes->data());
  const size_t done = started + read_up_to(file, path, bytes->data() + started, size - started);
  if (done < size) {
    throw Error(ErrorCode::GHOSTNET_FILE_UNREADABLE, "The file " + path + " became shorter while it was read",
                std::to_string(done) + " bytes", std::to_string(size) + " bytes");
  }
  return bytes;
}

}  // namespace ghostnet
