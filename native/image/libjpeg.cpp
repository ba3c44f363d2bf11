#include "image/libjpeg.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "image/exif.h"

namespace ghostnet {
namespace {

#ifndef GHOSTNET_JPEG_PORTION  // a fuzzer, whose files are small, has a smaller one
#define GHOSTNET_JPEG_PORTION (1 << 18)
#endif

/** The bytes that libjpeg is given at a time, between which it is asked whether to stop. Even if each block
 * of an image takes only two bits, they are decoded in 20 ms. */
constexpr size_t kPortion = GHOSTNET_JPEG_PORTION;

/** Whether the pixels are right in spite of a warning: cameras and editors write such files. After the other
 * warnings, libjpeg makes pixels up. */
bool is_harmless(const jpeg_error_mgr& errors) {
  switch (errors.msg_code) {
    case JWRN_ADOBE_XFORM:     // an unknown number, taken for YCbCr
    case JWRN_JFIF_MAJOR:      // an unknown version
    case JWRN_NOT_SEQUENTIAL:  // fields of a scan that mean nothing in a sequential file
      return true;
    case JWRN_EXTRANEOUS_DATA: {  // bytes between segments; but before a restart marker, they are lost pixels
      const int marker = errors.msg_parm.i[1];
      return marker < JPEG_RST0 || marker > JPEG_RST0 + 7;
    }
    default:
      return false;
  }
}

}  // namespace

/** The functions that libjpeg calls. They must not throw, because their callers are C. */
struct LibjpegCallbacks {
  static Decompressor& owner(void* client_data) { return *static_cast<Decompressor*>(client_data); }

  [[noreturn]] static void leave(Decompressor& owner, Decompressor::Reason reason) {
    owner.errors_.reason = reason;
    std::longjmp(owner.errors_.back, 1);
  }

  [[noreturn]] static void error_exit(j_common_ptr state) {
    leave(owner(state->client_data), Decompressor::Reason::error);
  }

  static void emit_message(j_common_ptr state, int level) {
    const bool is_warning = level < 0;  // the other levels tell what libjpeg does
    if (is_warning && !is_harmless(*state->err)) error_exit(state);
  }

  static void output_message(j_common_ptr) {}

  static void stop_if_cancelled(Decompressor& owner) {
    if (owner.cancelled_ != nullptr && owner.cancelled_->load(std::memory_order_relaxed)) {
      leave(owner, Decompressor::Reason::cancelled);
    }
  }

  static void progress_monitor(j_common_ptr state) {
    Decompressor& self = owner(state->client_data);
    stop_if_cancelled(self);
    if (self.state_.input_scan_number > Decompressor::kMostScans) leave(self, Decompressor::Reason::scans);
  }

  static void ignore(j_decompress_ptr) {}

  /** libjpeg has used up all it was given, whatever the fields of the source say: it reads by copies of them.
   */
  static boolean fill_input_buffer(j_decompress_ptr state) {
    Decompressor& self = owner(state->client_data);
    stop_if_cancelled(self);
    const std::span<const uint8_t> rest = self.file_.subspan(self.given_);
    if (rest.empty()) {
      state->err->msg_code = JWRN_JPEG_EOF;
      error_exit(reinterpret_cast<j_common_ptr>(state));
    }
    self.source_.next_input_byte = rest.data();
    self.source_.bytes_in_buffer = std::min(rest.size(), kPortion);
    self.given_ += self.source_.bytes_in_buffer;
    return TRUE;
  }

  static void skip_input_data(j_decompress_ptr state, long bytes) {
    jpeg_source_mgr& source = *state->src;
    while (bytes > 0) {
      if (source.bytes_in_buffer == 0) fill_input_buffer(state);
      const size_t step = std::min(source.bytes_in_buffer, static_cast<size_t>(bytes));
      source.next_input_byte += step;
      source.bytes_in_buffer -= step;
      bytes -= static_cast<long>(step);
    }
  }

  /** Reads the orientation in place, and passes over the segment as libjpeg does. */
  static boolean read_app1(j_decompress_ptr state) {
    Decompressor& self = owner(state->client_data);
    const std::span<const uint8_t> rest = self.unread();
    const size_t length = rest.size() < 2 ? 2 : rest[0] << 8 | rest[1];
    if (length <= rest.size() && length >= 2 && !self.saw_exif_) {
      const std::span<const uint8_t> content = rest.subspan(2, length - 2);
      self.saw_exif_ = is_exif(content);
      self.orientation_ = exif_orientation(content);
    }
    skip_input_data(state, std::max<long>(2, static_cast<long>(length)));
    return TRUE;
  }
};

Decompressor::Decompressor(std::span<const uint8_t> file, const std::atomic<bool>* cancelled)
    : file_(file), cancelled_(cancelled) {
  state_.err = jpeg_std_error(&errors_);
  errors_.error_exit = LibjpegCallbacks::error_exit;
  errors_.emit_message = LibjpegCallbacks::emit_message;
  errors_.output_message = LibjpegCallbacks::output_message;
  source_.next_input_byte = file.data();
  source_.init_source = LibjpegCallbacks::ignore;
  source_.fill_input_buffer = LibjpegCallbacks::fill_input_buffer;
  source_.skip_input_data = LibjpegCallbacks::skip_input_data;
  source_.resync_to_restart = jpeg_resync_to_restart;
  source_.term_source = LibjpegCallbacks::ignore;
  progress_.progress_monitor = LibjpegCallbacks::progress_monitor;
  // It keeps these two, and sets the rest to 0.
  state_.client_data = this;
  run([](j_decompress_ptr state) { jpeg_create_decompress(state); });
  state_.src = &source_;
  state_.progress = &progress_;
  run([](j_decompress_ptr state) {
    jpeg_set_marker_processor(state, JPEG_APP0 + 1, LibjpegCallbacks::read_app1);
  });
}

Decompressor::~Decompressor() { jpeg_destroy_decompress(&state_); }

std::span<const uint8_t> Decompressor::unread() const {
  return file_.subspan(static_cast<size_t>(source_.next_input_byte - file_.data()));
}

std::span<const uint8_t> Decompressor::unused() const {
  const size_t marker = state_.unread_marker == 0 ? 0 : 2;
  return file_.last(unread().size() + marker);
}

void Decompressor::fail() {
  jpeg_destroy_decompress(&state_);  // here, for an object whose constructor failed has no destructor
  switch (errors_.reason) {
    case Reason::cancelled:
      throw DecodingCancelled();
    case Reason::scans:
      throw Error(ErrorCode::GHOSTNET_IMAGE_TOO_LARGE, "The JPEG has too many scans",
                  "more than " + std::to_string(kMostScans) + " scans",
                  "at most " + std::to_string(kMostScans) + " scans");
    case Reason::error:
      break;
  }
  switch (errors_.msg_code) {
    case JERR_OUT_OF_MEMORY:
      throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory to decode an image");
    case JERR_SOF_UNSUPPORTED:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      throw DecodingUnsupported();
    default:
      break;
  }
  char text[JMSG_LENGTH_MAX];
  (*errors_.format_message)(reinterpret_cast<j_common_ptr>(&state_), text);
  throw Error(ErrorCode::GHOSTNET_IMAGE_UNDECODABLE, "The JPEG is damaged or incomplete", text);
}

}  // namespace ghostnet
