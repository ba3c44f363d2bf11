/**
 * The state of this addon in one JavaScript environment (the main thread or a worker thread): its classes,
 * its error factory, and its pending jobs. Everything process-wide belongs to the engine.
 */
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/executor.h"
#include "engine/team.h"
#include "runtime/guard.h"

namespace ghostnet::addon {

/** Identifies a job of an environment, so that the caller can abort it. Unique while the job is pending. */
using Ticket = int64_t;

class Environment {
 public:
  /** Creates the environment and binds its lifetime to `env`. */
  static void attach(Napi::Env env);
  static Environment& of(Napi::Env env);

  /** A GhostNetError of this environment, created by the factory that the TypeScript side sets. */
  Napi::Value make_error(const Error& error) const;
  Napi::Value make_error(std::exception_ptr failure) const;
  void set_error_factory(const Napi::Function& factory);

  /** How and where a job runs. */
  struct Placement {
    Executor& executor;
    int threads = 1;     ///< as Executor::Job
    bool aside = false;  ///< as Executor::Job
    std::shared_ptr<std::atomic<bool>> cancelled =
        {};  ///< as Executor::Job: the job can be aborted while it runs
  };

  /**
   * Runs `work` on an executor, converts its result with `convert` on this thread and settles the promise.
   * @param kept JavaScript values whose memory the work reads; not collected while the job is pending
   */
  template <typename Result>
  Napi::Promise run(Ticket ticket, std::vector<Napi::Object> kept, std::function<Result(Team&)> work,
                    std::function<Napi::Value(Napi::Env, Result)> convert, Placement placement) {
    // The executor's thread writes the result before it reports the end; this thread reads it afterwards.
    auto result = std::make_shared<Result>();
    return submit(
        ticket, std::move(kept), [result, work = std::move(work)](Team& team) { *result = work(team); },
        [result, convert = std::move(convert)](Napi::Env env) { return convert(env, std::move(*result)); },
        std::move(placement));
  }

  /** A ticket for one job. Issued here, so that two copies of the JavaScript side over one binary never use
   * the same ticket. */
  Ticket new_ticket() { return ++last_ticket_; }

  /**
   * Drops a waiting job, or asks a running one to stop early if it can, and rejects its promise with
   * `reason`.
   * @return false if it runs and cannot be stopped, or has ended
   */
  bool abort(Ticket ticket, Napi::Value reason);

  /**
   * Memory for an object behind a JavaScript object. It is allocated outside of everything that is guarded.
   * @throws Napi::Error GHOSTNET_OUT_OF_MEMORY
   */
  static void* allocate(size_t bytes);

  Napi::FunctionReference tensor_class;
  Napi::FunctionReference model_class;
  Napi::FunctionReference trainer_class;

 private:
  struct Pending {
    Environment* environment;
    Ticket ticket;
    Napi::Promise::Deferred deferred;
    std::vector<Napi::ObjectReference> kept;
    std::function<Napi::Value(Napi::Env)> convert;
    std::exception_ptr failure;
    Placement placement;
    Executor::Ticket executor_ticket = 0;
    bool is_settled = false;  ///< its promise was rejected while it ran
  };
  static void settle(Napi::Env env, Napi::Function, Environment*, Pending* pending);
  using Settler = Napi::TypedThreadSafeFunction<Environment, Pending, settle>;

  explicit Environment(Napi::Env env);
  Napi::Promise submit(Ticket ticket, std::vector<Napi::Object> kept, std::function<void(Team&)> work,
                       std::function<Napi::Value(Napi::Env)> convert, Placement placement);
  std::unique_ptr<Pending> take(Ticket ticket);
  void close();

  Napi::Env env_;
  Settler settler_;
  Napi::FunctionReference error_factory_;
  /** Made in advance, for when there is no memory for an error either. */
  Napi::ObjectReference out_of_memory_;
  Ticket last_ticket_ = 0;
  std::unordered_map<Ticket, std::unique_ptr<Pending>> pending_;
};

/** Calls `body` and rethrows its exceptions as GhostNetErrors. Every function that JavaScript calls goes
 * through here. */
template <typename Body>
auto guarded(Napi::Env env, const Body& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, Environment::of(env).make_error(std::current_exception()));
  }
}

/** A function of the addon, guarded. */
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Value safely(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return function(info); });
}

}  // namespace ghostnet::addon
