// The GPU engine over native/cuda_runtime and a strict model of the CUDA runtime: its behaviour when several
// threads submit batches, and when calls to the runtime fail. Stand-ins replace the kernels, so that the
// tests run under sanitizers; cuda_engine_test.cpp tests that the network is computed.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <thread>

#include "cuda_model_test.h"
#include "cuda_runtime/cuda_device.h"
#include "engine/cuda/cuda_engine.h"
#include "engine/executor.h"
#include "test/engine/synthetic_network.h"

namespace ghostnet {
namespace {

using cuda::CudaEngine;
using cuda::GhostPath;

/** Every kind of layer, in small sizes. */
FoldedNetwork small_network() {
  Architecture architecture;
  architecture.stages = {{{3, 16, 8, 0, 1}}, {{3, 16, 12, 0.25, 2}}};
  architecture.width = 0.5;
  architecture.num_classes = 5;
  return synthetic_network(architecture);
}

/** A batch, and the values of its result. */
struct Case {
  std::vector<uint8_t> bytes;
  ArrayView view;
  Output output;
  std::vector<float> expected = {};

  Case(int number, int64_t batch, int64_t height, int64_t width)
      : output(number % 3 == 2 ? Output::features : Output::logits) {
    bytes.resize(static_cast<size_t>(batch * height * width * 3) * (number % 2 == 0 ? 1 : sizeof(float)));
    for (size_t at = 0; at < bytes.size(); ++at) {
      bytes[at] = static_cast<uint8_t>((at + static_cast<size_t>(number)) * 2654435761u >> 13);
    }
    view = number % 2 == 0 ? ArrayView{DType::uint8, {batch, height, width, 3}, bytes.data()}
                           : ArrayView{DType::float32, {batch, 3, height, width}, bytes.data()};
  }
};

std::vector<float> run(CudaEngine& engine, const Case& batch) {
  std::vector<float> result(static_cast<size_t>(batch.view.shape[0] * engine.columns(batch.output)), -1);
  Team alone;
  engine.run({batch.view, Transform{}, batch.output, alone}, result.data());
  return result;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::unique_ptr<CudaEngine> make_engine(CudaEngine::Options options = {}) {
  return std::make_unique<CudaEngine>(cuda::open_cuda_device(0), small_network(), Precision::float16,
                                      options);
}

/** Batches of different shapes, each with the result of a separate engine. */
std::vector<Case> cases_of(int count) {
  std::vector<Case> cases;
  cases.reserve(static_cast<size_t>(count));
  for (int number = 0; number < count; ++number) {
    Case& each = cases.emplace_back(number, 1 + number % 3, 32 + number, 48 - number % 5);
    each.expected = run(*make_engine({GhostPath::measured, false}), each);
  }
  return cases;
}

/** Runs `work(client)` on this number of threads. */
void with_clients(int count, const std::function<void(int)>& work) {
  std::vector<std::future<void>> clients;
  for (int client = 0; client < count; ++client) {
    clients.push_back(std::async(std::launch::async, [&work, client] { work(client); }));
  }
  for (std::future<void>& client : clients) {
    if (client.wait_for(std::chrono::minutes(2)) == std::future_status::timeout) {
      ADD_FAILURE() << "a run does not end";
      std::abort();  // nothing could wait for the thread that runs it
    }
    client.get();
  }
}

TEST_F(CudaModel, GivesEachThreadTheResultsOfItsBatches) {
  const std::vector<Case> cases = cases_of(5);
  for (const bool graphs : {true, false}) {
    cuda_model::reset({.lag = 200});
    {
      const auto engine = make_engine({GhostPath::measured, graphs});
      with_clients(4, [&](int client) {
        for (int i = 0; i < 20; ++i) {
          const Case& batch = cases[static_cast<size_t>(client + i * (client + 1)) % cases.size()];
          EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected));
        }
      });
    }
    EXPECT_EQ(cuda_model::counts().graph_launches > 0, graphs);
    expect_no_faults();
    EXPECT_EQ(cuda_model::left_over(), "");
  }
}

TEST_F(CudaModel, DropsPlansWhileBatchesOfOthersAreOnTheirWay) {
  const std::vector<Case> cases = cases_of(24);
  cuda_model::reset({.lag = 50});
  const auto engine = make_engine();
  with_clients(3, [&](int client) {
    for (int round = 0; round < 2; ++round) {
      for (size_t i = 0; i < cases.size(); ++i) {
        const Case& batch = cases[(i + static_cast<size_t>(client) * 8) % cases.size()];
        for (int again = 0; again < 2; ++again) EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected));
      }
    }
  });
  EXPECT_EQ(engine->plan_count(), CudaEngine::kMaxPlans);
}

/** Makes each call that `work` makes with an engine fail in turn, and checks that the failure is reported and
 * cleared. */
void fail_each_call(const std::function<std::unique_ptr<CudaEngine>()>& make, const std::vector<Case>& cases,
                    const std::function<void(CudaEngine&)>& work) {
  for (const cudaError_t failure : {cudaErrorMemoryAllocation, cudaErrorLaunchFailure}) {
    for (int call = 0;; ++call) {
      cuda_model::reset({});
      std::unique_ptr<CudaEngine> engine = make();
      cuda_model::fail(call, failure);
      expect_told(error_of([&] {
                    if (engine == nullptr) engine = make_engine();
                    work(*engine);
                  }),
                  failure);
      const std::string failed = cuda_model::failed_call();
      if (failed.empty()) {
        EXPECT_GT(call, 50);
        break;
      }
      if (engine == nullptr) {
        EXPECT_EQ(cuda_model::left_over(), "") << failed;
        engine = make_engine();
      }
      for (const Case& batch : cases) EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected)) << failed;
      engine.reset();
      EXPECT_EQ(cuda_model::left_over(), "") << failed;
      for (const std::string& fault : cuda_model::faults()) ADD_FAILURE() << fault;
      if (testing::Test::HasFailure()) FAIL() << "call " << call << ", " << failed;
    }
  }
}

// The weights are in flight, and take long, when a call fails.
TEST_F(CudaModel, GivesItsMemoryBackWhenItCanNotBeMade) {
  for (int call = 0;; ++call) {
    cuda_model::reset({.lag = 3000});
    cuda_model::fail(call, cudaErrorLaunchFailure);
    expect_told(error_of([] { make_engine(); }), cudaErrorLaunchFailure);
    const std::string failed = cuda_model::failed_call();
    EXPECT_EQ(cuda_model::left_over(), "") << failed;
    expect_no_faults();
    if (failed.empty()) break;
    if (HasFailure()) FAIL() << "call " << call << ", " << failed;
  }
}

TEST_F(CudaModel, WorksAgainAfterAnyCallOfItsFirstRunsFailed) {
  const std::vector<Case> cases = cases_of(3);
  fail_each_call([] { return nullptr; }, cases,
                 [&](CudaEngine& engine) {
                   for (const Case& batch : cases) {  // each needs more memory than the previous one
                     run(engine, batch);
                     run(engine, batch);  // records its graph
                     EXPECT_TRUE(same_bits(run(engine, batch), batch.expected));
                   }
                 });
}

TEST_F(CudaModel, WorksAgainAfterAnyCallFailedWhilePlansWereDropped) {
  const std::vector<Case> cases = cases_of(CudaEngine::kMaxPlans + 2);
  const auto make = [&] {
    auto engine = make_engine();
    run(*engine, cases.back());  // the largest: memory does not move afterwards
    for (size_t i = 0; i < CudaEngine::kMaxPlans; ++i) run(*engine, cases[i]);
    return engine;
  };
  fail_each_call(make, {cases.front(), cases.back()}, [&](CudaEngine& engine) {
    for (const size_t number : {CudaEngine::kMaxPlans, CudaEngine::kMaxPlans, size_t{0}, size_t{5}}) {
      EXPECT_TRUE(same_bits(run(engine, cases[number]), cases[number].expected));
    }
  });
}

TEST_F(CudaModel, FailsTheBatchOfOneThreadAndNoOther) {
  const std::vector<Case> cases = cases_of(5);
  for (int call = 0; call < 400; call += 7) {
    cuda_model::reset({.lag = 20});
    {
      const auto engine = make_engine();
      std::atomic<int> failures = 0;
      cuda_model::fail(call, cudaErrorLaunchFailure);
      with_clients(3, [&](int client) {
        for (int i = 0; i < 6; ++i) {
          const Case& batch = cases[static_cast<size_t>(client * 2 + i) % cases.size()];
          const auto error = error_of([&] { EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected)); });
          expect_told(error, cudaErrorLaunchFailure);
          failures += error.has_value();
        }
      });
      EXPECT_LE(failures, 1);
      for (const Case& batch : cases) EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected));
    }
    EXPECT_EQ(cuda_model::left_over(), "");
    expect_no_faults();
    if (HasFailure()) FAIL() << "call " << call << ", " << cuda_model::failed_call();
  }
}

TEST_F(CudaModel, EndsEveryRunWhenTheGpuHasFailedForGood) {
  const std::vector<Case> cases = cases_of(3);
  for (int call = 0; call < 300; call += 5) {
    cuda_model::reset({.lag = 20});
    const auto engine = make_engine();
    cuda_model::fail(call, cudaErrorIllegalAddress, true);
    with_clients(3, [&](int client) {
      const Case& batch = cases[static_cast<size_t>(client)];
      for (int i = 0; i < 6; ++i) {
        expect_told(error_of([&] { EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected)); }),
                    cudaErrorIllegalAddress);
      }
    });
    if (!cuda_model::failed_call().empty()) {
      EXPECT_TRUE(error_of([&] { run(*engine, cases[0]); }));
    }
    expect_no_faults();
    if (HasFailure()) FAIL() << "call " << call << ", " << cuda_model::failed_call();
  }
  cuda_model::reset({});
}

TEST_F(CudaModel, SaysWhenMemoryIsShortWhileOthersGoOn) {
  const std::vector<Case> cases = cases_of(2);
  const Case large(2, 20, 200, 200);
  cuda_model::reset({.gpus = {{"Small", 9, 0, 1000000}}, .lag = 20});
  const auto engine = make_engine();
  with_clients(3, [&](int client) {
    for (int i = 0; i < 10; ++i) {
      if (client == 0) {
        const auto error = error_of([&] { run(*engine, large); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->code(), ErrorCode::GHOSTNET_OUT_OF_MEMORY);
      } else {
        const Case& batch = cases[static_cast<size_t>(client - 1)];
        EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected));
      }
    }
  });
}

// As when a JavaScript environment closes: its waiting jobs are dropped, and the engine is destroyed with the
// last of them, on a thread of the GPU.
TEST_F(CudaModel, EnginesGoAwayWhileTheirBatchesAreQueued) {
  const std::vector<Case> cases = cases_of(3);
  cuda_model::reset({.lag = 50});
  for (int round = 0; round < 10; ++round) {
    const int owner = 0;
    std::atomic<int> done = 0;
    std::shared_ptr<CudaEngine> engine = make_engine();
    std::vector<Executor*> executors = {&Executor::gpu(0), &Executor::gpu(0)};
    for (int job = 0; job < 20; ++job) {
      const Case& batch = cases[static_cast<size_t>(job) % cases.size()];
      executors[static_cast<size_t>(job) % 2]->submit(
          {&owner, [engine, &batch](Team&) { EXPECT_TRUE(same_bits(run(*engine, batch), batch.expected)); },
           [&done](std::exception_ptr failure) {
             EXPECT_EQ(failure, nullptr);
             ++done;
           }});
    }
    engine.reset();
    while (done < round) std::this_thread::yield();
    for (Executor* executor : executors) executor->drop(&owner);
    EXPECT_EQ(cuda_model::left_over(), "");
  }
}

}  // namespace
}  // namespace ghostnet
