/**
 * libjpeg-turbo's decompressor, with C++ exceptions for its errors and warnings.
 */
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it
// These must follow.
#include <jerror.h>
#include <jpeglib.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <span>

namespace ghostnet {

/** Thrown when the decoder was told to stop. */
struct DecodingCancelled : std::exception {};

/** Thrown for a kind of JPEG that libjpeg cannot decode. */
struct DecodingUnsupported : std::exception {};

class Decompressor {
 public:
  /** More scans than any encoder writes. A scan of a few bytes can cost as much as a whole image. */
  static constexpr int kMostScans = 100;

  /**
   * @param file must outlive this object
   * @param cancelled as in JpegOptions
   * @throws Error GHOSTNET_OUT_OF_MEMORY
   */
  Decompressor(std::span<const uint8_t> file, const std::atomic<bool>* cancelled);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /** libjpeg's own state, which its functions get through run(). */
  const jpeg_decompress_struct& state() const { return state_; }

  /**
   * Calls `call(jpeg_decompress_struct*)`, which calls functions of libjpeg. They do not return after an
   * error but jump out of `call`, which skips destructors: so it may have no object that needs one. After an
   * exception, this object is of no more use.
   *
   * @throws Error GHOSTNET_IMAGE_UNDECODABLE with libjpeg's text, after an error or a warning of lost pixels,
   * GHOSTNET_IMAGE_TOO_LARGE after kMostScans, GHOSTNET_OUT_OF_MEMORY
   * @throws DecodingCancelled, DecodingUnsupported
   */
  // Not inlined, because after a jump the variables of the function with setjmp may have any value.
  template <typename Call>
  [[gnu::noinline]] void run(const Call& call) {
    if (setjmp(errors_.back) != 0) fail();
    call(&state_);
  }

  /** The tag of the Exif segment that was read, 0 without one; see exif_orientation. */
  int orientation() const { return orientation_; }

  /** The bytes that libjpeg has not read yet, or has read but not used: a marker that it met too early. */
  std::span<const uint8_t> unused() const;

 private:
  friend struct LibjpegCallbacks;
  enum class Reason { error, cancelled, scans };
  struct Errors : jpeg_error_mgr {
    std::jmp_buf back;
    Reason reason;
  };

  [[noreturn]] void fail();
  std::span<const uint8_t> unread() const;

  jpeg_decompress_struct state_ = {};
  Errors errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  std::span<const uint8_t> file_;
  size_t given_ = 0;  ///< bytes of the file that libjpeg has read or may read now
  const std::atomic<bool>* cancelled_;
  int orientation_ = 0;
  bool saw_exif_ = false;
};

}  // namespace ghostnet
