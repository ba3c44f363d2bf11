/**
 * Makes JPEG files that are damaged where it matters.
 */
#pragma once

#include <vector>

#include "fuzz/random.h"
#include "jpeg/writer.h"

namespace ghostnet::test {

/** Sound files of every kind. */
std::vector<Bytes> jpeg_corpus();

/** One to several changes of a file, which is damaged where it matters. */
void damage_jpeg(Bytes& file, const std::vector<Bytes>& corpus, Random& random);

/** A damaged file of the corpus, with bytes behind it in one of two cases. */
Bytes mutate_jpeg(const std::vector<Bytes>& corpus, Random& random);

}  // namespace ghostnet::test
