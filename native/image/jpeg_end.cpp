#include "image/jpeg_end.h"

#include <algorithm>
#include <cstring>

#include "image/libjpeg.h"

namespace ghostnet {

// Source: ITU-T T.81, sections B.1.1 and F.1.2.3.
bool has_end_of_image(std::span<const uint8_t> rest, const std::atomic<bool>* cancelled) {
  constexpr ptrdiff_t portion = 1 << 20;  // scanned in some milliseconds, whatever the bytes
  const uint8_t* at = rest.data();
  const uint8_t* const end = at + rest.size();
  const uint8_t* look = at;
  while (at != end) {
    if (at >= look) {
      if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) throw DecodingCancelled();
      look = at + std::min(portion, end - at);
    }
    const void* const found = std::memchr(at, 0xff, static_cast<size_t>(look - at));
    at = found == nullptr ? look : static_cast<const uint8_t*>(found);
    if (at == look) continue;
    while (at != end && *at == 0xff) ++at;  // a marker may be preceded by any number of them
    if (at == end) return false;
    const uint8_t marker = *at++;
    if (marker == 0xd9) return true;
    // Data, TEM, and the restart markers: nothing follows that has a length.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    // Others begin a segment, whose bytes may look like markers.
    if (end - at < 2) return false;
    const ptrdiff_t length = at[0] << 8 | at[1];
    if (end - at < length) return false;
    at += length;
  }
  return false;
}

}  // namespace ghostnet
