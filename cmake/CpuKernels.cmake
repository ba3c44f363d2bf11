# The library ghostnet_cpu, without LibTorch: the CPU kernels and the code that packs weights for them.
# native/kernels/cpu/kernels.cpp is compiled once per capability of the architecture; one is selected at run time. The bfloat16
# kernels accompany the AVX-512 kernels.

file(GLOB _sources CONFIGURE_DEPENDS native/kernels/cpu/*.cpp)
list(FILTER _sources EXCLUDE REGEX "/(bfloat16_)?kernels\\.cpp$")
add_library(ghostnet_cpu STATIC ${_sources})
target_include_directories(ghostnet_cpu PRIVATE native "${CMAKE_CURRENT_BINARY_DIR}/generated")

function(ghostnet_add_cpu_kernels table source)
  set(target ghostnet_${table})
  add_library(${target} OBJECT native/kernels/cpu/${source})
  target_include_directories(${target} PRIVATE native)
  target_compile_definitions(${target} PRIVATE GHOSTNET_KERNELS=${table})
  target_compile_options(${target} PRIVATE ${ARGN})
  # Optimised in every configuration except with sanitizers: without -O3 the engine tests take minutes.
  if(NOT GHOSTNET_SANITIZE)
    target_compile_options(${target} PRIVATE -O3)
  endif()
  target_sources(ghostnet_cpu PRIVATE $<TARGET_OBJECTS:${target}>)
endfunction()

ghostnet_add_cpu_kernels(kernels_baseline kernels.cpp)
# A fuzzer has the baseline alone: with sanitizers, each of the others compiles for a minute.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT GHOSTNET_FUZZ)
  target_compile_definitions(ghostnet_cpu PRIVATE GHOSTNET_X86_KERNELS)
  ghostnet_add_cpu_kernels(kernels_avx2 kernels.cpp -mavx2 -mfma)
  set(_avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma -mprefer-vector-width=512
              -Wno-maybe-uninitialized)  # GCC 12 warns about its own intrinsics
  ghostnet_add_cpu_kernels(kernels_avx512 kernels.cpp ${_avx512})
  ghostnet_add_cpu_kernels(kernels_avx512_bfloat16 bfloat16_kernels.cpp ${_avx512} -mavx512bf16)
endif()
