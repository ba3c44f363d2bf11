/*
 * Opens shared libraries by absolute path before the addon that needs them is loaded. The addon then finds
 * them by their names, however a package manager lays out the folders. Does not depend on LibTorch, so it
 * always loads.
 *
 * open(paths: string[]): undefined | { path: string, reason: string }
 *   Opens the libraries in order. Returns the first library that could not be opened.
 * pin(path: string): undefined | { path: string, reason: string }
 *   Keeps an addon open until the process ends. Node closes it with the last worker thread that uses it, but
 *   the executor's thread still runs its code.
 * loaded(name: string): undefined | string
 *   The path of the library of that name that the process has open.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <link.h>
#endif

static napi_value fail(napi_env env) {
  const napi_extended_error_info* info = NULL;
  napi_get_last_error_info(env, &info);
  napi_throw_error(
      env, NULL,
      info && info->error_message ? info->error_message : "the loader was called with the wrong arguments");
  return NULL;
}

/* The text of a string, which the caller frees; NULL if the value is not a string or memory is short. */
static char* text_of(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char* text = malloc(length + 1);
  if (text != NULL && napi_get_value_string_utf8(env, value, text, length + 1, &length) != napi_ok) {
    free(text);
    return NULL;
  }
  return text;
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

static napi_value undefined(napi_env env) {
  napi_value nothing;
  return napi_get_undefined(env, &nothing) == napi_ok ? nothing : fail(env);
}

/* Opens a library and never closes it. If that fails, *failure is what the caller returns. */
static bool keep_open(napi_env env, napi_value path, int mode, napi_value* failure) {
  char* text = text_of(env, path);
  if (text == NULL) {
    *failure = fail(env);
    return false;
  }
  const void* handle = dlopen(text, mode);
  free(text);
  if (handle == NULL) *failure = report(env, path, dlerror());
  return handle != NULL;
}

static napi_value open_libraries(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value paths, failure;
  uint32_t count = 0;
  if (napi_get_cb_info(env, info, &argc, &paths, NULL, NULL) != napi_ok || argc != 1 ||
      napi_get_array_length(env, paths, &count) != napi_ok) {
    return fail(env);
  }
  for (uint32_t i = 0; i < count; ++i) {
    napi_value path;
    if (napi_get_element(env, paths, i, &path) != napi_ok) return fail(env);
    /* Global, so that the addon and the libraries opened next find its symbols. */
    if (!keep_open(env, path, RTLD_NOW | RTLD_GLOBAL, &failure)) return failure;
  }
  return undefined(env);
}

static napi_value pin_addon(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value path, failure;
  if (napi_get_cb_info(env, info, &argc, &path, NULL, NULL) != napi_ok || argc != 1) return fail(env);
  /* In the way of Node, which opens it next. */
  return keep_open(env, path, RTLD_LAZY, &failure) ? undefined(env) : failure;
}

#ifdef __APPLE__
static const char* path_of(const char* name) {
  for (uint32_t i = 0; i < _dyld_image_count(); ++i) {
    const char* path = _dyld_get_image_name(i);
    const char* base = strrchr(path, '/');
    if (strcmp(base ? base + 1 : path, name) == 0) return path;
  }
  return NULL;
}
#else
/* Finds a library by the name it gives itself, like the system linker. */
static const char* path_of(const char* name) {
  void* handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
  struct link_map* map = NULL;
  if (handle == NULL) return NULL;
  const char* path = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : NULL;
  dlclose(handle); /* releases the handle taken above; the library stays open */
  return path;
}
#endif

static napi_value loaded_library(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value name, result;
  if (napi_get_cb_info(env, info, &argc, &name, NULL, NULL) != napi_ok || argc != 1) return fail(env);
  char* text = text_of(env, name);
  if (text == NULL) return fail(env);
  const char* path = path_of(text);
  free(text);
  const napi_status status = path == NULL ? napi_get_undefined(env, &result)
                                          : napi_create_string_utf8(env, path, NAPI_AUTO_LENGTH, &result);
  return status == napi_ok ? result : fail(env);
}

static napi_status export_function(napi_env env, napi_value exports, const char* name,
                                   napi_callback function) {
  napi_value value;
  const napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  return status == napi_ok ? napi_set_named_property(env, exports, name, value) : status;
}

NAPI_MODULE_INIT() {
  if (export_function(env, exports, "open", open_libraries) != napi_ok ||
      export_function(env, exports, "pin", pin_addon) != napi_ok ||
      export_function(env, exports, "loaded", loaded_library) != napi_ok) {
    return fail(env);
  }
  return exports;
}
