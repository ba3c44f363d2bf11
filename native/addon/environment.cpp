#include "addon/environment.h"

#include <utility>

namespace ghostnet::addon {

namespace {

// A thread has one environment.
thread_local Environment* of_thread = nullptr;

}  // namespace

void Environment::attach(Napi::Env env) {
  auto* environment = new Environment(env);
  of_thread = environment;
  env.SetInstanceData(environment);
  // Hooks run in the reverse order of their registration, so this hook runs before the settler's own.
  env.AddCleanupHook([](Environment* closing) { closing->close(); }, environment);
}

Environment& Environment::of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

Environment::Environment(Napi::Env env) : env_(env), settler_(Settler::New(env, "ghostnet", 0, 1, this)) {
  settler_.Unref(env);
}

// The environment is closing: after this, none of its jobs may run or be settled.
void Environment::close() {
  for (Executor* executor : Executor::all()) executor->drop(this);
  pending_.clear();
}

Napi::Value Environment::make_error(const Error& error) const {
  const auto text = [&](const std::string& value) -> Napi::Value {
    if (value.empty()) return env_.Undefined();
    return Napi::String::New(env_, value);
  };
  const Napi::Value code = Napi::String::New(env_, name_of(error.code()));
  const Napi::Value what = Napi::String::New(env_, error.what());
  if (error_factory_.IsEmpty()) {
    Napi::Error plain = Napi::Error::New(env_, error.what());
    plain.Set("code", code);
    return plain.Value();
  }
  return error_factory_.Value().Call({code, what, text(error.found()), text(error.expected())});
}

Napi::Value Environment::make_error(std::exception_ptr failure) const {
  try {
    try {
      guard([&] { std::rethrow_exception(failure); });
    } catch (const Error& error) {
      return make_error(error);
    }
  } catch (const std::bad_alloc&) {
    return out_of_memory_.Value();
  }
  return env_.Undefined();
}

void Environment::set_error_factory(const Napi::Function& factory) {
  error_factory_ = Napi::Persistent(factory);
  const Error out_of_memory(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory, not even to say for what");
  out_of_memory_ = Napi::Persistent(make_error(out_of_memory).As<Napi::Object>());
}

void* Environment::allocate(size_t bytes) {
  try {
    return ::operator new(bytes);
  } catch (const std::bad_alloc&) {
    throw Napi::Error(of_thread->env_, of_thread->out_of_memory_.Value());
  }
}

Napi::Promise Environment::submit(Ticket ticket, std::vector<Napi::Object> kept,
                                  std::function<void(Team&)> work,
                                  std::function<Napi::Value(Napi::Env)> convert, Placement placement) {
  if (ticket < 1 || ticket > last_ticket_ || pending_.contains(ticket)) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The ticket is unknown or already in use",
                std::to_string(ticket));
  }
  auto owned = std::make_unique<Pending>(Pending{this,
                                                 ticket,
                                                 Napi::Promise::Deferred::New(env_),
                                                 {},
                                                 std::move(convert),
                                                 nullptr,
                                                 std::move(placement)});
  for (const Napi::Object& object : kept) owned->kept.push_back(Napi::Persistent(object));
  Pending* pending = owned.get();
  const Napi::Promise promise = pending->deferred.Promise();
  pending_.emplace(ticket, std::move(owned));
  // A pending job keeps the process alive; an idle package does not.
  if (pending_.size() == 1) settler_.Ref(env_);
  const auto& [executor, threads, aside, cancelled] = pending->placement;
  try {
    pending->executor_ticket = executor.submit({
        this,
        std::move(work),
        [pending, settler = settler_](std::exception_ptr failure) {
          pending->failure = failure;
          settler.NonBlockingCall(pending);
        },
        threads,
        aside,
        cancelled,
    });
  } catch (...) {
    take(ticket);
    throw;
  }
  return promise;
}

std::unique_ptr<Environment::Pending> Environment::take(Ticket ticket) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return nullptr;
  std::unique_ptr<Pending> pending = std::move(found->second);
  pending_.erase(found);
  if (pending_.empty()) settler_.Unref(env_);
  return pending;
}

void Environment::settle(Napi::Env env, Napi::Function, Environment* environment, Pending* finished) {
  if (env == nullptr) return;  // the environment is closing and has dropped its jobs
  const std::unique_ptr<Pending> pending = environment->take(finished->ticket);
  if (pending == nullptr || pending->is_settled) return;
  try {
    if (pending->failure != nullptr) {
      pending->deferred.Reject(environment->make_error(pending->failure));
      return;
    }
    try {
      pending->deferred.Resolve(pending->convert(env));
    } catch (const Napi::Error& error) {
      pending->deferred.Reject(error.Value());
    } catch (...) {
      pending->deferred.Reject(environment->make_error(std::current_exception()));
    }
  } catch (const Napi::Error&) {
    // The thread is being terminated, so nobody waits for the promise.
  }
}

bool Environment::abort(Ticket ticket, Napi::Value reason) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end() || found->second->is_settled) return false;
  Pending& pending = *found->second;
  if (pending.placement.executor.cancel(pending.executor_ticket)) {
    take(ticket)->deferred.Reject(reason);
    return true;
  }
  if (pending.placement.cancelled == nullptr) return false;
  // The job still uses what it was given until it notices.
  pending.is_settled = true;
  pending.deferred.Reject(reason);
  return true;
}

}  // namespace ghostnet::addon
