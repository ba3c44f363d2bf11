#pragma once

#include <napi.h>

namespace ghostnet::addon {

/**
 * fitProbe(ticket, { embeddings, labels, validation: NativeTensor, start?, covariance?: NativeTensor,
 * classes, l2, mostSteps, tolerance, threads }): Promise<NativeProbeFit>
 */
Napi::Value fit_probe(const Napi::CallbackInfo& info);

}  // namespace ghostnet::addon
