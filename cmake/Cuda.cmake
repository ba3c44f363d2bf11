# The shared library ghostnet_cuda, with -DGHOSTNET_CUDA=ON: kernels for GPUs and the device that the engine drives them
# through. nvcc must be there; the CUDA runtime is linked in, so that a system needs no more than NVIDIA's driver. The addon
# opens it when a GPU is asked for, and is the same without it. nvcc is called directly: CMake's own CUDA language would need to
# know every version of it.
option(GHOSTNET_CUDA "Build the part for GPUs (never run on a GPU so far)" OFF)
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

# Machine code for what there is, PTX for what comes.
set(GHOSTNET_CUDA_ARCHITECTURES "80;86;89;90;100;120" CACHE STRING "Compute capabilities to build machine code for")
set(_nvcc_flags -std=c++20 -O3 -Werror all-warnings -Xcompiler -fPIC,-fvisibility=hidden
    "-I${CMAKE_CURRENT_SOURCE_DIR}/native" --threads 0 -gencode arch=compute_90,code=compute_90)
foreach(_architecture IN LISTS GHOSTNET_CUDA_ARCHITECTURES)
  list(APPEND _nvcc_flags -gencode arch=compute_${_architecture},code=sm_${_architecture})
endforeach()

set(_objects "")
file(GLOB _kernels CONFIGURE_DEPENDS native/ops/cuda/*.cu)
foreach(_source IN LISTS _kernels)
  get_filename_component(_name "${_source}" NAME_WE)
  set(_object "${CMAKE_CURRENT_BINARY_DIR}/cuda/${_name}.o")
  add_custom_command(OUTPUT "${_object}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/cuda"
    COMMAND "${GHOSTNET_NVCC}" ${_nvcc_flags} -MD -MF "${_object}.d" -c "${_source}" -o "${_object}"
    DEPENDS "${_source}" DEPFILE "${_object}.d" VERBATIM)
  list(APPEND _objects "${_object}")
endforeach()

add_library(ghostnet_cuda_kernels STATIC native/ops/cuda/launch.cpp ${_objects})
target_include_directories(ghostnet_cuda_kernels PUBLIC native "${CMAKE_CURRENT_BINARY_DIR}/generated")
target_include_directories(ghostnet_cuda_kernels SYSTEM PUBLIC "${GHOSTNET_CUDA_ROOT}/include")

# The CUDA runtime of the toolkit, or of NVIDIA's wheels, as an archive.
find_library(GHOSTNET_CUDART_STATIC NAMES cudart_static
  HINTS "${GHOSTNET_CUDA_ROOT}/lib64" "${GHOSTNET_CUDA_ROOT}/lib"
        "${GHOSTNET_LIBTORCH_ROOT}/../nvidia/cu13/lib" REQUIRED)
add_library(ghostnet_cuda_device STATIC native/cuda/cuda_device.cpp)
target_link_libraries(ghostnet_cuda_device PUBLIC ghostnet_cuda_kernels "${GHOSTNET_CUDART_STATIC}"
                                                  ${CMAKE_DL_LIBS} pthread rt)

add_library(ghostnet_cuda MODULE native/cuda/library.cpp)
target_link_libraries(ghostnet_cuda PRIVATE ghostnet_cuda_device)
set_target_properties(ghostnet_cuda PROPERTIES PREFIX "" SKIP_BUILD_RPATH ON)
# Nothing of the archives is seen from outside: a process may have another CUDA runtime.
target_link_options(ghostnet_cuda PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined -Wl,-z,nodelete)
