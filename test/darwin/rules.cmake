# Addons are linked by lld alone, because the linker of zig makes no bundles. CMake reads this file after its own rules for Darwin, so
# what a target asks of the linker arrives unchanged.
foreach(_language C CXX)
  set(CMAKE_${_language}_LINKER_WRAPPER_FLAG " ") # no compiler passes it on
  set(CMAKE_SHARED_LIBRARY_RUNTIME_${_language}_FLAG "-rpath ")
  set(CMAKE_SHARED_MODULE_RUNTIME_${_language}_FLAG "-rpath ")
  set(CMAKE_${_language}_CREATE_SHARED_MODULE
      "\"${GHOSTNET_DARWIN}/bin/ld\" -arch arm64 -platform_version macos 14.0 14.0 -bundle -dead_strip -x <LINK_FLAGS> -o <TARGET> <OBJECTS> <LINK_LIBRARIES> \"${GHOSTNET_DARWIN}/libSystem.tbd\"")
endforeach()
