# -DGHOSTNET_CUDA=ON builds the GPU library, ghostnet_cuda: the GPU kernels and the device through which the engine uses
# them. This needs nvcc. The CUDA runtime is linked in, so a system needs only NVIDIA's driver. The addon opens the library
# when a GPU is first requested; the addon itself is the same with and without it. nvcc is called directly, because CMake's
# own CUDA language would have to know every version of nvcc.
option(GHOSTNET_CUDA "Build the GPU library (never run on a GPU so far)" OFF)
if(NOT GHOSTNET_CUDA)
  return()
endif()

find_program(GHOSTNET_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATH_SUFFIXES bin)
if(NOT GHOSTNET_NVCC)
  message(FATAL_ERROR "GHOSTNET_CUDA=ON needs nvcc, which is neither on PATH nor under CUDA_HOME. "
                      "Install the CUDA toolkit, or set CUDA_HOME to its folder.")
endif()
# The real toolkit; the nvcc on PATH may be a wrapper script.
execute_process(COMMAND "${GHOSTNET_NVCC}" --dryrun -c -x cu /dev/null OUTPUT_QUIET ERROR_VARIABLE _dryrun)
string(REGEX MATCH "TOP=([^\n]+)" _top "${_dryrun}")
file(REAL_PATH "${CMAKE_MATCH_1}" GHOSTNET_CUDA_ROOT)

# Machine code for existing architectures, PTX for later ones.
set(GHOSTNET_CUDA_ARCHITECTURES "80;86;89;90;100;120" CACHE STRING "Compute capabilities to build machine code for")
set(_nvcc_flags -std=c++20 -O3 -Werror all-warnings -Xcompiler -fPIC,-fvisibility=hidden
    "-I${CMAKE_CURRENT_SOURCE_DIR}/native" "-I${CMAKE_CURRENT_BINARY_DIR}/generated" --threads 0 -gencode arch=compute_90,code=compute_90)
foreach(_architecture IN LISTS GHOSTNET_CUDA_ARCHITECTURES)
  list(APPEND _nvcc_flags -gencode arch=compute_${_architecture},code=sm_${_architecture})
endforeach()

set(_objects "")
file(GLOB _kernels CONFIGURE_DEPENDS native/kernels/cuda/*.cu)
foreach(_source IN LISTS _kernels)
  get_filename_component(_name "${_source}" NAME_WE)
  set(_object "${CMAKE_CURRENT_BINARY_DIR}/cuda/${_name}.o")
  add_custom_command(OUTPUT "${_object}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/cuda"
    COMMAND "${GHOSTNET_NVCC}" ${_nvcc_flags} -MD -MF "${_object}.d" -c "${_source}" -o "${_object}"
    DEPENDS "${_source}" DEPFILE "${_object}.d" VERBATIM)
  list(APPEND _objects "${_object}")
endforeach()

add_library(ghostnet_cuda_kernels STATIC native/kernels/cuda/launch.cpp ${_objects})
target_include_directories(ghostnet_cuda_kernels PUBLIC native "${CMAKE_CURRENT_BINARY_DIR}/generated")
target_include_directories(ghostnet_cuda_kernels SYSTEM PUBLIC "${GHOSTNET_CUDA_ROOT}/include")

# The static CUDA runtime of the toolkit or of NVIDIA's wheels.
find_library(GHOSTNET_CUDART_STATIC NAMES cudart_static
  HINTS "${GHOSTNET_CUDA_ROOT}/lib64" "${GHOSTNET_CUDA_ROOT}/lib"
        "${GHOSTNET_LIBTORCH_ROOT}/../nvidia/cu13/lib" REQUIRED)
add_library(ghostnet_cuda_device STATIC native/cuda_runtime/cuda_device.cpp)
target_link_libraries(ghostnet_cuda_device PUBLIC ghostnet_cuda_kernels "${GHOSTNET_CUDART_STATIC}"
                                                  ${CMAKE_DL_LIBS} pthread rt)

add_library(ghostnet_cuda MODULE native/cuda_runtime/library.cpp)
target_link_libraries(ghostnet_cuda PRIVATE ghostnet_cuda_device)
set_target_properties(ghostnet_cuda PROPERTIES PREFIX "" SKIP_BUILD_RPATH ON)
# Hides the symbols of the archives, because the process may have another CUDA runtime.
target_link_options(ghostnet_cuda PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined -Wl,-z,nodelete)
