/**
 * Watches every memory access of the CUDA threads that the machine runs, and reports faults that a GPU would
 * not: races between barriers, shared memory read before it is written, accesses out of bounds, outputs
 * written twice, copies without a wait.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ghostnet::cuda_on_cpu {

/** A place in the source of the kernels: known at compile time, or an address to look up. */
struct Site {
  const char* file = nullptr;
  unsigned line = 0;
  const void* address = nullptr;

  std::string text() const;
};

enum class Access { read, write };

/** How an array in global memory may be used. */
enum class Use {
  input,   ///< read only
  output,  ///< every element written exactly once; read only by a later launch
  /** Memory of buffers that replace each other: several launches write and read it, but no launch writes an
   * element twice, or both writes and reads it. */
  reused,
};

/** A kind of fault, with its first place and its count. */
struct Finding {
  std::string kind, detail;
  int64_t count = 0;
};

class Checker {
 public:
  static constexpr size_t kSharedBytes = 64 * 1024;
  /** Shared memory is tracked in units of the smallest access, 2 bytes. */
  static constexpr size_t kUnit = 2;

  Checker();

  /** Clears arrays and findings. */
  void reset();
  void add_array(std::string name, const void* data, size_t bytes, Use use);
  void remove_array(const void* data);
  /** Records bytes copied into a reused array. */
  void note_copy(const void* to, size_t bytes);
  /** The number of bytes of an output that no kernel has written. */
  size_t unwritten(const void* data) const;
  const std::map<std::string, Finding>& findings() const { return findings_; }
  int64_t accesses() const { return accesses_; }
  void report(const std::string& kind, const std::string& detail);

  void begin_launch();
  int launches() const { return launch_; }
  void begin_block(int block);
  /** An access of one thread in the current block after `epoch` block barriers. */
  void begin_slice(int thread, int epoch) {
    thread_ = thread;
    epoch_ = epoch;
  }
  /** The block's shared memory. */
  char* shared(size_t bytes);
  bool is_shared(const void* address) const;

  void access(Access kind, const void* address, size_t bytes, const Site& site);
  /** An asynchronous copy has begun (or landed): until it lands, no thread may access the bytes. */
  void begin_copy(const void* shared, size_t bytes, const Site& site);
  void end_copy(const void* shared, size_t bytes, const Site& site);

 private:
  struct Array {
    std::string name;
    const char* data;
    size_t bytes;
    Use use;
    std::vector<int> writer;  ///< by unit: the launch that wrote it last, 0 for none
    std::vector<int> reader;  ///< if reused: the launch that read it last
  };
  struct Unit {
    int block = -1;
    int writer = -1, writer_epoch = -1;
    /** Two different threads that read in `reader_epoch`: enough to know that one of them is not the writer.
     */
    int reader = -1, other_reader = -1, reader_epoch = -1;
    bool copying = false;
    Site writer_site, reader_site;
  };

  void shared_access(Access kind, size_t offset, size_t bytes, const Site& site);
  void write_global(Array& array, size_t index, const Site& site);
  void read_global(Array& array, size_t index, const Site& site);
  void global_access(Access kind, const char* address, size_t bytes, const Site& site);
  Unit& unit(size_t index);
  std::string where(const Site& site) const;

  std::vector<char> shared_storage_;
  char* shared_ = nullptr;
  size_t shared_bytes_ = 0;
  std::vector<Unit> units_;
  std::vector<Array> arrays_;
  std::map<std::string, Finding> findings_;
  int64_t accesses_ = 0;
  int launch_ = 0, block_ = 0, block_serial_ = 0, thread_ = 0, epoch_ = 0;
};

}  // namespace ghostnet::cuda_on_cpu
