#include "fuzz/jpeg_check.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "jpeg/reference.h"

// Of the sanitizer's <sanitizer/allocator_interface.h>, which GCC does not bring.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                              void (*)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace ghostnet::test {
namespace {

std::atomic<int64_t> allocated = 0;
std::atomic<int64_t> most_allocated = 0;

void count_malloc(const volatile void*, size_t size) {
  allocated += static_cast<int64_t>(size);
  if (allocated > most_allocated) most_allocated = allocated.load();
}

void count_free(const volatile void* pointer) {
  if (pointer == nullptr) return;
  allocated -= static_cast<int64_t>(__sanitizer_get_allocated_size(pointer));
}

[[maybe_unused]] const int kHooks = __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);

/** The pixels of the first frame that any decoder might take for that of the image. */
int64_t claimed_pixels(std::span<const uint8_t> file) {
  int64_t most = 0;
  for (size_t at = 0; at + 9 <= file.size(); ++at) {
    if (file[at] != 0xff || file[at + 1] < 0xc0 || file[at + 1] > 0xc2) continue;
    const int64_t height = file[at + 5] << 8 | file[at + 6];
    const int64_t width = file[at + 7] << 8 | file[at + 8];
    most = std::max(most, height * width);
  }
  return most;
}

/** Compares with the whole image. @return a fault, empty if there is none */
std::string compare(std::span<const uint8_t> file, const Trial& trial, std::optional<int> scale,
                    std::string_view found, const uint8_t* out) {
  const std::optional<Decoded> whole = decode_whole(file, scale.value_or(8));
  if (!whole) return "";
  if (!scale) {
    // libjpeg looks for these codes only near the end of a portion, of which the whole is one.
    if (found == "Corrupt JPEG data: bad Huffman code") return "";
    return "a sound file was refused: " + std::string(found);
  }
  const Bytes expected = push_whole(*whole, trial.transform, whole->tag, *scale);
  return std::equal(expected.begin(), expected.end(), out) ? "" : "pixels that the whole image has not";
}

}  // namespace

Verdict check_jpeg(std::span<const uint8_t> file, const Trial& trial) {
  // Copies of exactly their size, so that the sanitizer finds an access beyond them.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[file.size()]);
  std::copy(file.begin(), file.end(), copy.get());
  const int64_t side = trial.transform.input_size;
  const std::unique_ptr<uint8_t[]> out(new uint8_t[static_cast<size_t>(side * side * 3)]);
  std::optional<JpegResult> result;
  std::optional<ErrorCode> code;
  char found[200] = "";  // not a string, whose memory would look like a leak

  const int64_t before = allocated;
  most_allocated = before;
  const std::clock_t start = std::clock();
  try {
    result = prepare_jpeg({copy.get(), file.size()}, trial.transform, trial.options, out.get());
  } catch (const Error& error) {
    code = error.code();
    std::snprintf(found, sizeof found, "%s", error.found().c_str());
  }
  const std::clock_t end = std::clock();
  const int64_t after = allocated;

  Verdict verdict;
  constexpr const char* outcomes[] = {"decoded", "unsupported", "cancelled"};
  verdict.outcome = code ? name_of(*code) : outcomes[static_cast<int>(result->outcome)];
  verdict.seconds = static_cast<double>(end - start) / CLOCKS_PER_SEC;
  verdict.bytes = most_allocated - before;
  const int64_t pixels = std::min(claimed_pixels(file), trial.options.max_pixels);
  verdict.share_of_time =
      verdict.seconds / (0.1 + 2e-7 * static_cast<double>(pixels) + 1e-6 * static_cast<double>(file.size()));
  // Besides the coefficients, there are only rows as wide as an image can be.
  const int64_t allowed_bytes = trial.options.max_coefficient_bytes + (int64_t{1} << 25);
  const bool is_refused = code == ErrorCode::GHOSTNET_IMAGE_UNDECODABLE;
  const bool is_decoded = result && result->outcome == JpegOutcome::decoded;
  if (code && !is_refused && code != ErrorCode::GHOSTNET_IMAGE_TOO_LARGE &&
      code != ErrorCode::GHOSTNET_BAD_SHAPE) {
    verdict.fault = "an error that is not documented";
  } else if (verdict.share_of_time > 1) {
    verdict.fault = "too much time for " + std::to_string(pixels) + " pixels";
  } else if (verdict.bytes > allowed_bytes) {
    verdict.fault = "too much memory: " + std::to_string(verdict.bytes) + " bytes";
  } else if (after != before) {
    verdict.fault = "a leak";
  } else if ((is_decoded || is_refused) && pixels <= 2'000'000) {  // more would take too long
    verdict.fault =
        compare(file, trial, is_decoded ? std::optional(result->scale) : std::nullopt, found, out.get());
  }
  return verdict;
}

}  // namespace ghostnet::test
