#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "image/transform.h"
#include "training/random.h"
#include "training/settings.h"

namespace ghostnet {

/** A part of a square picture, in pixels. */
struct Crop {
  int64_t top, left, height, width;
};

/**
 * A random part of a picture: an area of at least `least_area`, a ratio of the sides from 3/4 to 4/3.
 * Source: RandomResizedCrop of torchvision.
 */
Crop random_crop(Random& random, int64_t side, double least_area);

/** Changes brightness, contrast and saturation in a random order. @param pixels [H,W,3], from 0 to 255 */
torch::Tensor jittered(Random& random, torch::Tensor pixels, double most);

/** The pictures of a step. */
struct Pictures {
  torch::Tensor pixels;          ///< uint8 [N,S,S,3], RGB, S of at least the input size
  std::vector<int64_t> samples;  ///< the number of each picture in the training
  int64_t epoch = 0;
};

/**
 * The input of the network: cropped, resized, mirrored, with other colours, and normalised. Every picture
 * depends on the seed, the epoch and its number alone.
 * @return [N,3,input_size,input_size] of `dtype`, channels last
 */
torch::Tensor augment(const Pictures& pictures, const Augmentation& augmentation, const Transform& transform,
                      uint64_t seed, torch::ScalarType dtype);

}  // namespace ghostnet
