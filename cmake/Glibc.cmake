# Defines the target `ghostnet_glibc`, with which an addon needs no newer glibc or libstdc++ than LibTorch does.
add_library(ghostnet_glibc INTERFACE)

include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h GHOSTNET_HAS_GLIBC)
if(GHOSTNET_HAS_GLIBC)
  # An archive, so that a binary links only the functions it calls.
  file(GLOB glibc_sources CONFIGURE_DEPENDS native/glibc/*.c)
  add_library(ghostnet_older_symbols STATIC ${glibc_sources})
  target_link_libraries(ghostnet_glibc INTERFACE ghostnet_older_symbols)
  foreach(symbol exp fstat dlopen dlsym dlclose dlerror dlinfo _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE)
    target_link_options(ghostnet_glibc INTERFACE -Wl,--wrap=${symbol})
  endforeach()
endif()
