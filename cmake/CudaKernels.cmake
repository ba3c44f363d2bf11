# The CUDA backend of the operator, with -DGHOSTNET_CUDA=ON: nvcc must be there, and LibTorch one with CUDA (LIBTORCH or
# LIBTORCH_USE_PYTORCH). Gives the target `ghostnet_cuda`. nvcc is called directly: CMake's own CUDA language would need to
# know every version of it.
option(GHOSTNET_CUDA "Build the CUDA backend (never run on a GPU so far)" OFF)
if(NOT GHOSTNET_CUDA)
  return()
endif()

find_program(GHOSTNET_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATH_SUFFIXES bin)
if(NOT GHOSTNET_NVCC)
  message(FATAL_ERROR "GHOSTNET_CUDA=ON, but there is no nvcc on PATH or under CUDA_HOME.")
endif()
# The real toolkit, which a wrapper script of that name may hide.
execute_process(COMMAND "${GHOSTNET_NVCC}" --dryrun -c -x cu /dev/null OUTPUT_QUIET ERROR_VARIABLE _dryrun)
string(REGEX MATCH "TOP=([^\n]+)" _top "${_dryrun}")
file(REAL_PATH "${CMAKE_MATCH_1}" GHOSTNET_CUDA_ROOT)
find_library(GHOSTNET_CUDART NAMES cudart libcudart.so.13 libcudart.so.12 REQUIRED
  HINTS "${GHOSTNET_CUDA_ROOT}/lib64" "${GHOSTNET_CUDA_ROOT}/lib" "${GHOSTNET_LIBTORCH_ROOT}/../nvidia/cu13/lib"
        "${GHOSTNET_LIBTORCH_ROOT}/lib")

# Machine code for what there is, PTX for what comes.
set(GHOSTNET_CUDA_ARCHITECTURES "80;86;89;90;100;120" CACHE STRING "Compute capabilities to build machine code for")
set(_nvcc_flags -std=c++20 -O3 -Werror all-warnings -Xcompiler -fPIC,-fvisibility=hidden
    -gencode arch=compute_90,code=compute_90)
foreach(_architecture IN LISTS GHOSTNET_CUDA_ARCHITECTURES)
  list(APPEND _nvcc_flags -gencode arch=compute_${_architecture},code=sm_${_architecture})
endforeach()

set(_objects "")
foreach(_dtype float32 float16 bfloat16)
  set(_source "${CMAKE_CURRENT_SOURCE_DIR}/native/ops/cuda/ghost_module_${_dtype}.cu")
  set(_object "${CMAKE_CURRENT_BINARY_DIR}/cuda/ghost_module_${_dtype}.o")
  add_custom_command(OUTPUT "${_object}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/cuda"
    COMMAND "${GHOSTNET_NVCC}" ${_nvcc_flags} -MD -MF "${_object}.d" -c "${_source}" -o "${_object}"
    DEPENDS "${_source}" DEPFILE "${_object}.d" VERBATIM)
  list(APPEND _objects "${_object}")
endforeach()

# Beside what it is linked into: native/ops/*.cpp, which it refers to.
add_library(ghostnet_cuda STATIC native/ops/cuda/launch.cpp native/ops/cuda/ghost_module_cuda.cpp ${_objects})
target_include_directories(ghostnet_cuda PUBLIC native "${CMAKE_CURRENT_BINARY_DIR}/generated")
target_include_directories(ghostnet_cuda SYSTEM PUBLIC "${GHOSTNET_CUDA_ROOT}/include")
target_link_libraries(ghostnet_cuda PUBLIC ghostnet_libtorch torch_cuda c10_cuda "${GHOSTNET_CUDART}")
