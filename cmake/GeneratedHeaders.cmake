# Makes the generated headers without a build: cmake -DBINARY_DIR=<folder> -P cmake/GeneratedHeaders.cmake, for the CUDA rig.
cmake_minimum_required(VERSION 3.22)
get_filename_component(CMAKE_CURRENT_SOURCE_DIR "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
set(CMAKE_CURRENT_BINARY_DIR "${BINARY_DIR}")
include("${CMAKE_CURRENT_LIST_DIR}/ErrorCodes.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/Precisions.cmake")
