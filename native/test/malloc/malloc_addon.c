/**
 * An addon that tells what glibc's allocator has given out, for the soak test: Node counts only V8's memory.
 */
#include <malloc.h>
#include <node_api.h>

/** Bytes in use in all arenas, and in mappings of their own. */
static napi_value in_use(napi_env env, napi_callback_info info) {
  (void)info;
  const struct mallinfo2 found = mallinfo2();
  napi_value bytes;
  return napi_create_double(env, (double)(found.uordblks + found.hblkhd), &bytes) == napi_ok ? bytes : NULL;
}

/** Returns free memory to the system. */
static napi_value trim(napi_env env, napi_callback_info info) {
  (void)info;
  malloc_trim(0);
  napi_value nothing;
  return napi_get_undefined(env, &nothing) == napi_ok ? nothing : NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "inUse", NAPI_AUTO_LENGTH, in_use, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, "inUse", function);
  if (napi_create_function(env, "trim", NAPI_AUTO_LENGTH, trim, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, "trim", function);
  return exports;
}
