#include "fuzz/jpeg_mutator.h"

#include <algorithm>
#include <array>

namespace ghostnet::test {
namespace {

/** A marker with what belongs to it; entropy-coded data belongs to the marker before it. */
struct Part {
  size_t begin, end;
  uint8_t marker;
  size_t data;  ///< where entropy-coded data begins, `end` if there is none
};

constexpr uint8_t kSof0 = 0xc0, kSof2 = 0xc2, kDht = 0xc4, kSoi = 0xd8, kEoi = 0xd9, kSos = 0xda, kDqt = 0xdb,
                  kDri = 0xdd, kApp1 = 0xe1;

/** The parts of a file, as far as it can be read. */
std::vector<Part> parts_of(const Bytes& file) {
  std::vector<Part> parts;
  size_t at = 0;
  while (at + 2 <= file.size()) {
    Part part{at, at + 2, file[at + 1], 0};
    const bool has_length = part.marker != kSoi && part.marker != kEoi;
    if (has_length && at + 4 <= file.size())
      part.end += static_cast<size_t>(file[at + 2] << 8 | file[at + 3]);
    part.end = std::min(part.end, file.size());
    part.data = part.end;
    const auto is_marker = [&](size_t byte) {
      return file[byte] == 0xff && byte + 1 < file.size() && file[byte + 1] != 0 &&
             (file[byte + 1] & 0xf8) != 0xd0;
    };
    while (part.end < file.size() && !is_marker(part.end)) ++part.end;
    parts.push_back(part);
    at = part.end;
  }
  return parts;
}

std::vector<Part> parts_with(const Bytes& file, std::initializer_list<uint8_t> markers) {
  std::vector<Part> parts = parts_of(file);
  std::erase_if(parts, [&](const Part& part) {
    return std::find(markers.begin(), markers.end(), part.marker) == markers.end();
  });
  return parts;
}

void insert(Bytes& file, size_t at, const Bytes& more) {
  file.insert(file.begin() + static_cast<ptrdiff_t>(std::min(at, file.size())), more.begin(), more.end());
}

void erase(Bytes& file, size_t begin, size_t end) {
  end = std::min(end, file.size());
  if (begin >= end) return;
  file.erase(file.begin() + static_cast<ptrdiff_t>(begin), file.begin() + static_cast<ptrdiff_t>(end));
}

Bytes slice(const Bytes& file, size_t begin, size_t end) {
  end = std::min(end, file.size());
  if (begin >= end) return {};
  return Bytes(file.begin() + static_cast<ptrdiff_t>(begin), file.begin() + static_cast<ptrdiff_t>(end));
}

void set(Bytes& file, size_t at, uint8_t value) {
  if (at < file.size()) file[at] = value;
}

void set_pair(Bytes& file, size_t at, size_t value) {
  set(file, at, static_cast<uint8_t>(value >> 8));
  set(file, at + 1, static_cast<uint8_t>(value));
}

constexpr uint8_t kBytes[] = {0, 1, 2, 3, 4, 8, 16, 63, 64, 0x7f, 0x80, 0xc0, 0xd0, 0xd9, 0xfe, 0xff};
constexpr size_t kSides[] = {0,  1,  2,   7,   8,    9,    15,   16,    17,   31,
                             33, 64, 255, 257, 1000, 4096, 8191, 65500, 65535};

using Mutation = void (*)(Bytes& file, const std::vector<Bytes>& corpus, Random& random);

void flip_bit(Bytes& file, const std::vector<Bytes>&, Random& random) {
  if (!file.empty()) file[random.below(file.size())] ^= static_cast<uint8_t>(1 << random.below(8));
}

void set_byte(Bytes& file, const std::vector<Bytes>&, Random& random) {
  set(file, random.below(file.size()), random.one_in(2) ? random.byte() : random.pick(kBytes));
}

void cut_off(Bytes& file, const std::vector<Bytes>&, Random& random) {
  file.resize(random.one_in(2) ? random.below(file.size())
                               : file.size() - random.below(std::min<size_t>(file.size(), 20)));
}

void erase_range(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const size_t begin = random.below(file.size());
  erase(file, begin, begin + 1 + random.below(random.one_in(3) ? 600 : 8));
}

void repeat_range(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const size_t begin = random.below(file.size());
  insert(file, random.below(file.size()),
         slice(file, begin, begin + 1 + random.below(random.one_in(3) ? 600 : 8)));
}

void insert_bytes(Bytes& file, const std::vector<Bytes>&, Random& random) {
  Bytes more(1 + random.below(20));
  for (uint8_t& byte : more) byte = random.one_in(3) ? random.pick(kBytes) : random.byte();
  insert(file, random.below(file.size()), more);
}

void move_part(Bytes& file, const std::vector<Bytes>& corpus, Random& random) {
  const Bytes& other = random.one_in(2) ? file : random.pick(corpus);
  const std::vector<Part> from = parts_of(other);
  const std::vector<Part> to = parts_of(file);
  if (from.empty() || to.empty()) return;
  const Part& part = random.pick(from);
  const Bytes moved = slice(other, part.begin, part.end);
  const Part& place = random.pick(to);
  if (random.one_in(2)) erase(file, place.begin, place.end);
  if (!random.one_in(3)) insert(file, place.begin, moved);
}

void change_length(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_of(file);
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  const size_t length = part.data - part.begin - std::min<size_t>(2, part.data - part.begin);
  const size_t lengths[] = {0, 1, 2, 3, length + 1, length - 1, length / 2, random.below(0x10000), 0xffff};
  set_pair(file, part.begin + 2, random.pick(lengths));
}

void change_marker(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_of(file);
  if (parts.empty()) return;
  constexpr uint8_t markers[] = {0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc9, 0xcc, 0xd0, 0xd8,
                                 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xe0, 0xe1, 0xee, 0xfe, 0x01};
  set(file, random.pick(parts).begin + 1, random.pick(markers));
}

/** FF C0, the length, the precision, the height, the width, the components: three bytes each. */
void change_frame(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_with(file, {kSof0, 0xc1, kSof2});
  if (parts.empty()) return;
  const size_t at = random.pick(parts).begin;
  const size_t component = at + 10 + 3 * random.below(4);
  switch (random.below(7)) {
    case 0:
      return set(file, at + 4, random.one_in(2) ? 12 : random.byte());
    case 1:
      return set_pair(file, at + 5, random.pick(kSides));
    case 2:
      return set_pair(file, at + 7, random.pick(kSides));
    case 3:
      return set(file, at + 9, static_cast<uint8_t>(random.below(6)));
    case 4:
      return set(file, component,
                 static_cast<uint8_t>(random.one_in(2) ? "\1\2\3RGB"[random.below(6)] : random.byte()));
    case 5:
      return set(file, component + 1,
                 random.one_in(8) ? random.byte()
                                  : static_cast<uint8_t>((1 + random.below(4)) << 4 | (1 + random.below(4))));
    default:
      return set(file, component + 2, static_cast<uint8_t>(random.below(5)));
  }
}

void change_table(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_with(file, {kDht, kDqt});
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  if (random.one_in(4))
    return set(file, part.begin + 4, static_cast<uint8_t>(random.below(2) << 4 | random.below(5)));
  for (size_t times = 1 + random.below(4); times > 0; --times) {
    set(file, part.begin + 5 + random.below(random.one_in(2) ? 16 : part.data - part.begin),
        random.pick(kBytes));
  }
}

/** FF DA, the length, the components: two bytes each; the first and the last coefficient, the bits. */
void change_scan(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_with(file, {kSos});
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  const size_t at = part.begin;
  switch (random.below(4)) {
    case 0:
      return set(file, at + 4, static_cast<uint8_t>(random.below(6)));
    case 1:
      return set(file, at + 5 + random.below(8), random.one_in(2) ? random.pick(kBytes) : random.byte());
    case 2:
      return set(file, part.data - 1 - random.below(3), static_cast<uint8_t>(random.below(64)));
    default:
      return set(file, part.data - 1, static_cast<uint8_t>(random.below(14) << 4 | random.below(14)));
  }
}

void change_data(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_with(file, {kSos});
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  const size_t size = part.end - part.data;
  const size_t at = part.data + random.below(size);
  switch (random.below(5)) {
    case 0:  // a marker
      set(file, at, 0xff);
      return set(file, at + 1,
                 random.one_in(2) ? static_cast<uint8_t>(0xd0 + random.below(10)) : random.byte());
    case 1:  // a range of one value
      for (size_t byte = at; byte < std::min(part.end, at + random.below(200)); ++byte)
        set(file, byte, at & 1 ? 0xaa : 0);
      return;
    case 2:
      for (size_t times = random.below(10); times > 0; --times)
        set(file, part.data + random.below(size), random.byte());
      return;
    case 3:  // none at all
      return erase(file, random.one_in(2) ? part.data : at, part.end);
    default:
      return insert(file, at, slice(file, part.data, part.end));
  }
}

void add_restarts(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_of(file);
  if (parts.empty()) return;
  insert(file, random.pick(parts).begin,
         {0xff, kDri, 0, 4, static_cast<uint8_t>(random.below(2)), random.byte()});
}

/** The data of a file under the headers of another. */
void take_data(Bytes& file, const std::vector<Bytes>& corpus, Random& random) {
  const Bytes& other = random.pick(corpus);
  const std::vector<Part> own = parts_with(file, {kSos});
  const std::vector<Part> others = parts_with(other, {kSos});
  if (own.empty() || others.empty()) return;
  const Part& place = random.pick(own);
  const Part& part = random.pick(others);
  erase(file, place.data, place.end);
  insert(file, place.data, slice(other, part.data, part.end));
}

void add_scans(Bytes& file, const std::vector<Bytes>&, Random& random) {
  const std::vector<Part> parts = parts_with(file, {kSos});
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  const Bytes scan = slice(file, part.begin, random.one_in(2) ? part.end : part.data);
  for (size_t times = 1 + random.below(random.one_in(8) ? 200 : 6); times > 0; --times)
    insert(file, part.begin, scan);
}

void add_exif(Bytes& file, const std::vector<Bytes>&, Random& random) {
  Bytes content = exif_segment(static_cast<int>(random.below(10)), random.one_in(2));
  for (size_t times = random.below(4); times > 0; --times) {
    set(content, random.below(content.size()), random.one_in(2) ? random.pick(kBytes) : random.byte());
  }
  if (random.one_in(4)) content.resize(random.below(content.size()));
  const size_t length = content.size() + 2;
  Bytes segment = {0xff, kApp1, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  insert(segment, 4, content);
  const std::vector<Part> parts = parts_of(file);
  insert(file, random.one_in(4) && !parts.empty() ? random.pick(parts).begin : 2, segment);
}

void add_behind(Bytes& file, const std::vector<Bytes>& corpus, Random& random) {
  if (random.one_in(2) && file.size() > 2) file.resize(file.size() - 2);  // without the end of the image
  if (random.one_in(2)) insert(file, file.size(), random.pick(corpus));
}

constexpr Mutation kMutations[] = {
    flip_bit,     set_byte,    cut_off,       erase_range,   repeat_range, insert_bytes,
    move_part,    move_part,   change_length, change_marker, change_frame, change_frame,
    change_table, change_scan, change_scan,   change_data,   change_data,  change_data,
    add_restarts, take_data,   add_scans,     add_exif,      add_exif,     add_behind,
};

}  // namespace

std::vector<Bytes> jpeg_corpus() {
  std::vector<Bytes> corpus;
  const std::array<std::array<int, 3>, 6> horizontal = {
      {{1, 1, 1}, {2, 1, 1}, {2, 1, 1}, {1, 1, 1}, {4, 1, 1}, {2, 1, 2}}};
  const std::array<std::array<int, 3>, 6> vertical = {
      {{1, 1, 1}, {1, 1, 1}, {2, 1, 1}, {2, 1, 1}, {1, 1, 1}, {2, 2, 1}}};
  unsigned seed = 0;
  for (const Scans scans : {Scans::one, Scans::per_component, Scans::progressive, Scans::unfinished}) {
    for (size_t sampling = 0; sampling < horizontal.size(); ++sampling) {
      for (const auto& [height, width] : {std::pair{1, 1}, {17, 33}, {90, 64}, {61, 150}, {280, 200}}) {
        Written how = {.horizontal = horizontal[sampling], .vertical = vertical[sampling], .scans = scans};
        how.orientation = static_cast<int>(seed % 9);
        how.restart_interval = seed % 3 == 0 ? 1 + seed % 7 : 0;
        how.grey = seed % 5 == 0;
        how.quality = 20 + static_cast<int>(seed % 4) * 25;
        corpus.push_back(write_jpeg(draw(height, width, ++seed), how));
      }
    }
  }
  const Picture picture = draw(70, 80, 1);
  for (const Written& how : {Written{.rgb = true, .horizontal = {1, 1, 1}, .vertical = {1, 1, 1}},
                             {.cmyk = true},
                             {.lossless = true},
                             {.scans = Scans::hundred}}) {
    corpus.push_back(write_jpeg(picture, how));
  }
  // Enough for the largest reduction.
  corpus.push_back(write_jpeg(draw(1030, 1100, 2), {.quality = 10}));
  corpus.push_back(write_jpeg(draw(1030, 1100, 2), {.scans = Scans::progressive, .quality = 10}));
  return corpus;
}

void damage_jpeg(Bytes& file, const std::vector<Bytes>& corpus, Random& random) {
  for (size_t times = 1 + random.below(random.one_in(2) ? 2 : 8); times > 0; --times) {
    if (!file.empty()) random.pick(kMutations)(file, corpus, random);
  }
}

Bytes mutate_jpeg(const std::vector<Bytes>& corpus, Random& random) {
  Bytes file = random.pick(corpus);
  damage_jpeg(file, corpus, random);
  // The last bytes of an input choose how it is decoded; without more of them, those of the corpus would.
  if (random.one_in(2)) {
    for (int byte = 0; byte < 4; ++byte) file.push_back(random.byte());
  }
  return file;
}

}  // namespace ghostnet::test
