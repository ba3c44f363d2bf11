/*
 * Opens shared libraries by absolute path, before the addon that needs them is loaded: the addon then finds
 * them by their names, whatever layout a package manager has given to the folders. Knows nothing of LibTorch,
 * so that it always loads.
 *
 * open(paths: string[]): undefined | { path: string, reason: string }   the first library that could not be
 * opened
 */
#include <dlfcn.h>
#include <node_api.h>
#include <stdlib.h>

static napi_value fail(napi_env env) {
  const napi_extended_error_info* info = NULL;
  napi_get_last_error_info(env, &info);
  napi_throw_error(env, NULL,
                   info && info->error_message ? info->error_message : "the loader was called wrongly");
  return NULL;
}

static napi_value report(napi_env env, napi_value path, const char* reason) {
  napi_value result, text;
  if (napi_create_object(env, &result) != napi_ok ||
      napi_set_named_property(env, result, "path", path) != napi_ok ||
      napi_create_string_utf8(env, reason ? reason : "no reason given", NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_set_named_property(env, result, "reason", text) != napi_ok) {
    return fail(env);
  }
  return result;
}

static napi_value open_libraries(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value paths;
  uint32_t count = 0;
  if (napi_get_cb_info(env, info, &argc, &paths, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_array_length(env, paths, &count) != napi_ok) {
    return fail(env);
  }
  for (uint32_t i = 0; i < count; ++i) {
    napi_value path;
    size_t length = 0;
    if (napi_get_element(env, paths, i, &path) != napi_ok ||
        napi_get_value_string_utf8(env, path, NULL, 0, &length) != napi_ok) {
      return fail(env);
    }
    char* text = malloc(length + 1);
    if (text == NULL || napi_get_value_string_utf8(env, path, text, length + 1, &length) != napi_ok) {
      free(text);
      return fail(env);
    }
    /* Global, so that the libraries opened next, and the addon, find the symbols of this one. Never closed.
     */
    const void* handle = dlopen(text, RTLD_NOW | RTLD_GLOBAL);
    free(text);
    if (handle == NULL) return report(env, path, dlerror());
  }
  napi_value nothing;
  return napi_get_undefined(env, &nothing) == napi_ok ? nothing : fail(env);
}

NAPI_MODULE_INIT() {
  napi_value open;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, open_libraries, NULL, &open) != napi_ok ||
      napi_set_named_property(env, exports, "open", open) != napi_ok) {
    return fail(env);
  }
  return exports;
}
