/**
 * Calls of the CUDA kernels for the other layers of a GhostNet: plain pointers and numbers.
 *
 * The layout is NHWC. Weights are folded (runtime/fold.h). The weights of pointwise and dense layers have the
 * dtype of the call; all other weights, all biases, means and results of dense layers are float32 in every
 * dtype. Sums are float32; values of another dtype are rounded once, when stored. The order of the additions
 * does not depend on the batch.
 *
 * Source: arXiv 1911.11907, table 1 and section 3.2; arXiv 2211.12905, section 3.2 (attention). Compute
 * capability 8.0 or later.
 */
#pragma once

#include "base/activation.h"
#include "kernels/cuda/launch_result.h"

namespace ghostnet::cuda {

// All pointers are device pointers; outputs do not overlap inputs. A batch or a number of rows of 0 launches
// nothing. Other sizes are at least 1. A call checks whether the kernels support its numbers.

/** The 3x3 convolution with stride 2 and padding 1 on the caller's input, with bias and ReLU. */
struct StemCall {
  Precision dtype = Precision::float32;
  bool bytes = false;             ///< what the input is made of
  const void* input = nullptr;    ///< uint8 [batch,height,width,3] or float32 [batch,3,height,width]
  const float* weight = nullptr;  ///< [3][3][3][out_channels]: rows and columns of the kernel, channels
  const float* bias = nullptr;    ///< [out_channels]
  float scale[3] = {1, 1, 1};     ///< bytes become byte * scale + shift, by channel; padding is 0 afterwards
  float shift[3] = {0, 0, 0};
  void* out = nullptr;  ///< [batch,(height+1)/2,(width+1)/2,out_channels]
  int64_t batch = 0;
  int height = 0, width = 0;  ///< of the input
  int out_channels = 0;

  bool supported() const {
    return batch >= 0 && countable({height, width, 3}) && countable({27, out_channels}) &&
           countable({(height + 1) / 2, (width + 1) / 2, out_channels});
  }
};

/** A depthwise convolution with bias, and half of each side of the kernel as padding. */
struct DepthwiseCall {
  Precision dtype = Precision::float32;
  const void* x = nullptr;        ///< [batch,height,width,channels]
  const float* weight = nullptr;  ///< [kernel_height][kernel_width][channels]
  const float* bias = nullptr;    ///< [channels]
  void* out = nullptr;            ///< [batch,(height-1)/stride+1,(width-1)/stride+1,channels]
  int64_t batch = 0;
  int height = 0, width = 0, channels = 0;
  int kernel_height = 3, kernel_width = 3;  ///< odd, at most kMaxSize
  int stride = 1;                           ///< 1 or 2
  bool relu = false;

  static constexpr int kMaxSize = 31;
  bool supported() const {
    const auto is_side = [](int side) { return side >= 1 && side <= kMaxSize && side % 2 == 1; };
    return batch >= 0 && countable({height, width, channels}) && is_side(kernel_height) &&
           is_side(kernel_width) && (stride == 1 || stride == 2) &&
           countable({kernel_height, kernel_width, channels});
  }
};

/** A 1x1 convolution with bias: the product of the ghost module kernels, alone. */
struct PointwiseCall {
  Precision dtype = Precision::float32;
  const void* x = nullptr;       ///< [pixels,in_channels]
  const void* weight = nullptr;  ///< [out_channels][in_channels]
  const float* bias = nullptr;   ///< [out_channels]
  void* out = nullptr;           ///< [pixels,out_channels]
  int64_t pixels = 0;            ///< of all images
  int in_channels = 0, out_channels = 0;
  bool relu = false;

  bool supported() const { return pixels >= 0 && countable({in_channels, out_channels}); }
};

/** The mean over the pixels of each image. */
struct MeansCall {
  Precision dtype = Precision::float32;
  const void* x = nullptr;  ///< [batch,pixels,channels]
  float* out = nullptr;     ///< [batch,channels]
  int64_t batch = 0;
  int pixels = 0, channels = 0;

  bool supported() const { return batch >= 0 && countable({pixels, channels}); }
};

/** A dense layer: squeeze-and-excitation, head, classifier. */
struct DenseCall {
  Precision dtype = Precision::float32;  ///< of the weight
  const float* x = nullptr;              ///< [rows,depth]
  const void* weight = nullptr;          ///< [columns][depth]
  const float* bias = nullptr;           ///< [columns]
  float* out = nullptr;                  ///< [rows,columns]
  int64_t rows = 0;
  int depth = 0, columns = 0;
  Activation activation = Activation::none;

  bool supported() const { return rows >= 0 && countable({depth, columns}); }
};

/** a + b. */
struct AdditionCall {
  Precision dtype = Precision::float32;
  const void* a = nullptr;
  const void* b = nullptr;
  void* out = nullptr;
  int64_t count = 0;  ///< numbers in each

  bool supported() const { return count >= 0; }
};

/** The means of 2x2 pixels; an odd last row or column is left out. */
struct HalveCall {
  Precision dtype = Precision::float32;
  const void* x = nullptr;  ///< [batch,height,width,channels]
  void* out = nullptr;      ///< [batch,height/2,width/2,channels]
  int64_t batch = 0;
  int height = 0, width = 0;  ///< of the input, at least 2
  int channels = 0;

  bool supported() const {
    return batch >= 0 && height >= 2 && width >= 2 && countable({height, width, channels});
  }
};

/** x times the sigmoid of the nearest pixel of a gate, for pixel (y, x) that at (y * gate_height / height,
 * x * gate_width / width), rounded down. */
struct AttentionCall {
  Precision dtype = Precision::float32;
  const void* x = nullptr;     ///< [batch,height,width,channels]
  const void* gate = nullptr;  ///< [batch,gate_height,gate_width,channels]
  void* out = nullptr;         ///< as x
  int64_t batch = 0;
  int height = 0, width = 0;
  int gate_height = 0, gate_width = 0;  ///< at most those of x
  int channels = 0;

  bool supported() const {
    return batch >= 0 && countable({height, width, channels}) && gate_height >= 1 && gate_height <= height &&
           gate_width >= 1 && gate_width <= width;
  }
};

}  // namespace ghostnet::cuda
