#include "image/row_resizer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "base/array.h"
#include "base/error.h"
#include "image/resize_pass.h"
#include "image/resize_weights.h"
#include "kernels/cpu/kernel_table.h"

namespace ghostnet {
namespace {

/** The sums of each axis of the stored image, and which come first. */
struct Axes {
  ResizeWeights rows, columns;
  bool across_first;  ///< the pass across rows comes before the pass along them
};

/**
 * Whether the vertical pass comes first: if it removes more than twice as many rows as the other removes
 * columns. Source: ImagingResampleInner in Pillow 12 and later; before, the horizontal pass always came
 * first.
 */
bool is_vertical_first(const CropPlan& plan, int64_t height, int64_t width) {
  const int64_t fewer_rows = height - plan.resized_height;
  return fewer_rows > 0 && fewer_rows > 2 * (width - plan.resized_width);
}

Axes axes_of(const Transform& transform, const StoredImage& image) {
  const Orientation& orientation = image.orientation;
  const bool transpose = orientation.transpose;
  const CropPlan plan =
      plan_crop(transform, transpose ? image.width : image.height, transpose ? image.height : image.width);
  ResizedAxis rows = {image.rows,          image.covered_rows, orientation.mirror_y,
                      plan.resized_height, plan.top,           transform.input_size};
  ResizedAxis columns = {image.columns, image.covered_columns, orientation.mirror_x, plan.resized_width,
                         plan.left,     transform.input_size};
  if (transpose) {
    std::swap(rows.resized, columns.resized);
    std::swap(rows.first, columns.first);
  }
  const bool vertical_first = transpose ? is_vertical_first(plan, image.columns, image.rows)
                                        : is_vertical_first(plan, image.rows, image.columns);
  // The rows of a transposed image are columns when it is upright.
  return {ResizeWeights(rows, transform.interpolation), ResizeWeights(columns, transform.interpolation),
          vertical_first != transpose};
}

constexpr int64_t kTogether = RowResizer::kRowsTogether;
static_assert(RowResizer::kReadableBehind >= PassAlongRows::kReadBehind);

}  // namespace

/**
 * Both passes, in PIL's order. The pass across rows takes rows as they arrive, so if it comes first, they
 * wait for it with all the columns of the window. Of a transposed image, it gives columns of the output.
 */
struct RowResizer::Passes {
  Passes(const Axes& axes, bool transpose, int64_t side, uint8_t* out, const cpu::Float32Kernels& kernels)
      : window{axes.rows.all().begin, axes.rows.all().end, axes.columns.all().begin, axes.columns.all().end},
        across_first(axes.across_first),
        transposed(transpose),
        pixel_bytes(transpose ? side * 3 : 3),
        row_bytes(transpose ? 3 : side * 3),
        out(out),
        along(axes.columns, kernels),
        across(axes.rows, 3 * (across_first ? window.right - window.left : side), kTogether, kernels),
        side(side),
        summed_stride(3 * (across_first ? window.right - window.left : side) + kReadableBehind),
        summed_memory(static_cast<size_t>((across_first ? kTogether : 1) * summed_stride)) {}

  /** Takes at most kTogether rows. */
  void push(const uint8_t* const* rows, int64_t count) {
    std::array<uint8_t*, kTogether> taken;
    for (int64_t row = 0; row < count; ++row) taken[static_cast<size_t>(row)] = across.next_row(row);
    if (across_first) {
      const auto bytes = static_cast<size_t>(3 * (window.right - window.left));
      for (size_t row = 0; row < static_cast<size_t>(count); ++row) std::memcpy(taken[row], rows[row], bytes);
    } else {
      along.run(rows, count, taken.data(), 3);
    }
    across.arrived(count);
    while (across.is_ready()) {
      uint8_t* target = out + across.output() * row_bytes;
      if (across_first) {
        write_along(target);
      } else if (transposed) {
        write_column(target);
      } else {
        across.write(target);
      }
    }
  }

  const Window window;

 private:
  /** Sums across rows, and then along the result, for several at a time. */
  void write_along(uint8_t* target) {
    uint8_t* summed = summed_bytes() + waiting * summed_stride;
    across.write(summed);
    sums[static_cast<size_t>(waiting)] = summed;
    targets[static_cast<size_t>(waiting)] = target;
    ++waiting;
    if (waiting < kTogether && !across.is_done()) return;
    along.run(sums.data(), waiting, targets.data(), pixel_bytes);
    waiting = 0;
  }

  void write_column(uint8_t* target) {
    across.write(summed_bytes());
    for (int64_t pixel = 0; pixel < side; ++pixel) {
      std::memcpy(target + pixel * pixel_bytes, summed_bytes() + pixel * 3, 3);
    }
  }

  uint8_t* summed_bytes() const { return reinterpret_cast<uint8_t*>(summed_memory.data()); }

  const bool across_first;
  const bool transposed;
  const int64_t pixel_bytes;  // from an output pixel of the pass along rows to the next
  const int64_t row_bytes;    // from an output of the pass across rows to the next
  uint8_t* const out;
  PassAlongRows along;
  PassAcrossRows across;

  const int64_t side;
  // What the pass across rows gives, if it cannot go to the output as it is.
  const int64_t summed_stride;
  Buffer summed_memory;
  std::array<const uint8_t*, kTogether> sums{};
  std::array<uint8_t*, kTogether> targets{};
  int64_t waiting = 0;
};

RowResizer::RowResizer(const Transform& transform, const StoredImage& image, uint8_t* out) try
    : passes_(std::make_unique<Passes>(axes_of(transform, image), image.orientation.transpose,
                                       transform.input_size, out,
                                       *cpu::kernels_of(cpu::chosen_capability()).float32)) {
} catch (const std::bad_alloc&) {
  throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory to resize an image",
              std::to_string(image.width) + " x " + std::to_string(image.height) + " pixels");
}

RowResizer::~RowResizer() = default;

const Window& RowResizer::window() const { return passes_->window; }

void RowResizer::push(const uint8_t* const* rows, int64_t count) {
  for (int64_t row = 0; row < count; row += kRowsTogether) {
    passes_->push(rows + row, std::min(kRowsTogether, count - row));
  }
}

void resize_pixels(const Transform& transform, const uint8_t* pixels, int64_t height, int64_t width,
                   uint8_t* out) {
  RowResizer resizer(transform, StoredImage::whole(height, width), out);
  const Window& window = resizer.window();
  const int64_t row_bytes = 3 * (window.right - window.left);
  const int64_t copy_bytes = row_bytes + RowResizer::kReadableBehind;
  const uint8_t* end = pixels + height * width * 3;
  // For rows at the end of the image, behind which nothing may be read.
  const Buffer copies(static_cast<size_t>(kTogether * copy_bytes));
  std::array<const uint8_t*, kTogether> rows;
  for (int64_t top = window.top; top < window.bottom; top += kTogether) {
    const int64_t count = std::min(kTogether, window.bottom - top);
    for (int64_t index = 0; index < count; ++index) {
      const uint8_t* row = pixels + ((top + index) * width + window.left) * 3;
      if (end - row < copy_bytes) {
        uint8_t* copy = reinterpret_cast<uint8_t*>(copies.data()) + index * copy_bytes;
        std::memcpy(copy, row, static_cast<size_t>(row_bytes));
        row = copy;
      }
      rows[static_cast<size_t>(index)] = row;
    }
    resizer.push(rows.data(), count);
  }
}

}  // namespace ghostnet
