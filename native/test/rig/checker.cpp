#include "checker.h"

#include <algorithm>
#include <cstring>

#include "source_line.h"

namespace ghostnet::cuda_on_cpu {

namespace {

/** Bytes that are NaN in every float format, for unwritten memory. */
constexpr int kPoison = 0xff;
constexpr size_t kAlignment = 1024;

const char* name_of(Access kind) { return kind == Access::read ? "read" : "write"; }

}  // namespace

std::string Site::text() const {
  if (file == nullptr) return source_line(address);
  const char* slash = std::strrchr(file, '/');
  return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
}

Checker::Checker() : shared_storage_(kSharedBytes + 3 * kAlignment), units_(kSharedBytes / kUnit) {
  const auto start = reinterpret_cast<uintptr_t>(shared_storage_.data());
  shared_ = shared_storage_.data() + ((start + 2 * kAlignment - 1) / kAlignment * kAlignment - start);
}

void Checker::reset() {
  arrays_.clear();
  findings_.clear();
  accesses_ = 0;
  launch_ = 0;
}

void Checker::add_array(std::string name, const void* data, size_t bytes, Use use) {
  arrays_.push_back({std::move(name), static_cast<const char*>(data), bytes, use,
                     std::vector<int>(use == Use::input ? 0 : (bytes + kUnit - 1) / kUnit),
                     std::vector<int>(use == Use::reused ? (bytes + kUnit - 1) / kUnit : 0)});
}

void Checker::remove_array(const void* data) {
  std::erase_if(arrays_, [&](const Array& array) { return array.data == data; });
}

void Checker::note_copy(const void* to, size_t bytes) {
  const char* const at = static_cast<const char*>(to);
  begin_launch();
  for (Array& array : arrays_) {
    if (array.use != Use::reused || at < array.data || at + bytes > array.data + array.bytes) continue;
    const auto first = array.writer.begin() + (at - array.data) / static_cast<ptrdiff_t>(kUnit);
    std::fill(first, first + static_cast<ptrdiff_t>((bytes + kUnit - 1) / kUnit), launch_);
  }
}

size_t Checker::unwritten(const void* data) const {
  for (const Array& array : arrays_) {
    if (array.data == data) return kUnit * std::count(array.writer.begin(), array.writer.end(), 0);
  }
  return 0;
}

void Checker::report(const std::string& kind, const std::string& detail) {
  Finding& finding = findings_[kind];
  if (finding.count++ == 0) {
    finding.kind = kind;
    finding.detail = detail;
  }
}

std::string Checker::where(const Site& site) const {
  return site.text() + ", block " + std::to_string(block_) + " thread " + std::to_string(thread_);
}

void Checker::begin_launch() { ++launch_; }

void Checker::begin_block(int block) {
  block_ = block;
  ++block_serial_;
  shared_bytes_ = 0;
  std::memset(shared_, kPoison, kSharedBytes);
}

char* Checker::shared(size_t bytes) {
  if (bytes > kSharedBytes) report("shared memory too large", std::to_string(bytes) + " bytes");
  shared_bytes_ = bytes;
  return shared_;
}

bool Checker::is_shared(const void* address) const {
  const char* at = static_cast<const char*>(address);
  return at >= shared_ - kAlignment && at < shared_ + kSharedBytes + kAlignment;
}

Checker::Unit& Checker::unit(size_t index) {
  Unit& unit = units_[index];
  if (unit.block != block_serial_) {
    unit = {};
    unit.block = block_serial_;
  }
  return unit;
}

void Checker::access(Access kind, const void* address, size_t bytes, const Site& site) {
  ++accesses_;
  const char* at = static_cast<const char*>(address);
  if (reinterpret_cast<uintptr_t>(at) % bytes != 0) {
    report("misaligned access", std::to_string(bytes) + " bytes at " + where(site));
  }
  if (is_shared(address)) {
    const auto offset = static_cast<size_t>(at - shared_);
    if (at < shared_ || offset + bytes > shared_bytes_) {
      report("shared memory out of bounds", std::string(name_of(kind)) + " of byte " +
                                                std::to_string(at - shared_) + " of " +
                                                std::to_string(shared_bytes_) + " at " + where(site));
      return;
    }
    shared_access(kind, offset, bytes, site);
  } else {
    global_access(kind, at, bytes, site);
  }
}

void Checker::shared_access(Access kind, size_t offset, size_t bytes, const Site& site) {
  for (size_t index = offset / kUnit; index * kUnit < offset + bytes; ++index) {
    Unit& unit = this->unit(index);
    if (unit.copying) {
      report("touched before the copy was waited for", std::string(name_of(kind)) + " at " + where(site) +
                                                           ", copy begun at " + unit.writer_site.text());
    }
    if (kind == Access::read && unit.writer < 0) {
      report("shared memory read before it is written",
             "byte " + std::to_string(index * kUnit) + " at " + where(site));
    }
    if (unit.writer >= 0 && unit.writer != thread_ && unit.writer_epoch == epoch_) {
      report(std::string("race: ") + name_of(kind) + " against write",
             where(site) + ", written at " + unit.writer_site.text() + " by thread " +
                 std::to_string(unit.writer));
    }
    if (kind == Access::write) {
      const bool read_now = unit.reader_epoch == epoch_;
      if (read_now && (unit.reader != thread_ || (unit.other_reader >= 0 && unit.other_reader != thread_))) {
        report("race: write against read", where(site) + ", read at " + unit.reader_site.text());
      }
      unit.writer = thread_;
      unit.writer_epoch = epoch_;
      unit.writer_site = site;
    } else if (unit.reader_epoch != epoch_) {
      unit.reader = thread_;
      unit.other_reader = -1;
      unit.reader_epoch = epoch_;
      unit.reader_site = site;
    } else if (unit.reader != thread_) {
      unit.other_reader = thread_;
    }
  }
}

void Checker::begin_copy(const void* shared, size_t bytes, const Site& site) {
  access(Access::write, shared, bytes, site);
  const auto offset = static_cast<size_t>(static_cast<const char*>(shared) - shared_);
  for (size_t index = offset / kUnit; index * kUnit < offset + bytes && index < units_.size(); ++index) {
    unit(index).copying = true;
  }
}

void Checker::end_copy(const void* shared, size_t bytes, const Site& site) {
  const auto offset = static_cast<size_t>(static_cast<const char*>(shared) - shared_);
  for (size_t index = offset / kUnit; index * kUnit < offset + bytes && index < units_.size(); ++index) {
    unit(index).copying = false;
  }
  access(Access::write, shared, bytes, site);
}

void Checker::write_global(Array& array, size_t index, const Site& site) {
  const bool reused = array.use == Use::reused;
  const auto fault = [&](const char* kind) {
    report(kind, array.name + " byte " + std::to_string(index * kUnit) + " at " + where(site));
  };
  if (reused ? array.writer[index] == launch_ : array.writer[index] != 0) fault("output written twice");
  if (reused && array.reader[index] == launch_) fault("written where the same launch reads");
  array.writer[index] = launch_;
}

void Checker::read_global(Array& array, size_t index, const Site& site) {
  if (array.writer[index] == 0 || array.writer[index] == launch_) {
    report("output read", array.name + " byte " + std::to_string(index * kUnit) + " at " + where(site));
  }
  if (array.use == Use::reused) array.reader[index] = launch_;
}

void Checker::global_access(Access kind, const char* address, size_t bytes, const Site& site) {
  const Array* near = nullptr;
  for (Array& array : arrays_) {
    if (address + bytes + 4096 <= array.data || address >= array.data + array.bytes + 4096) continue;
    near = &array;
    if (address < array.data || address + bytes > array.data + array.bytes) continue;
    if (array.use == Use::input) {
      if (kind == Access::write) report("input written", array.name + " at " + where(site));
      return;
    }
    const auto offset = static_cast<size_t>(address - array.data);
    for (size_t index = offset / kUnit; index * kUnit < offset + bytes; ++index) {
      kind == Access::write ? write_global(array, index, site) : read_global(array, index, site);
    }
    return;
  }
  std::string detail =
      std::string(name_of(kind)) + " of " + std::to_string(bytes) + " bytes at " + where(site);
  if (near != nullptr) {
    detail += ", byte " + std::to_string(address - near->data) + " of the " + std::to_string(near->bytes) +
              " of " + near->name;
  }
  report("global memory out of bounds", detail);
}

}  // namespace ghostnet::cuda_on_cpu
