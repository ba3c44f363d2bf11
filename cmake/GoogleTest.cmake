# Defines the target `GTest::gtest_main`: GoogleTest as it is installed or, for another processor, compiled from the source that
# Debian and Ubuntu install with it.
if(NOT CMAKE_CROSSCOMPILING)
  find_package(GTest QUIET)
elseif(EXISTS /usr/src/googletest/CMakeLists.txt)
  set(BUILD_GMOCK OFF)
  set(INSTALL_GTEST OFF)
  add_subdirectory(/usr/src/googletest "${PROJECT_BINARY_DIR}/googletest" EXCLUDE_FROM_ALL)
  # Its own warnings are its own business.
  target_compile_options(gtest PRIVATE -w)
  if(NOT TARGET GTest::gtest_main)
    add_library(GTest::gtest_main ALIAS gtest_main)
  endif()
endif()
if(NOT TARGET GTest::gtest_main)
  message(FATAL_ERROR "The C++ tests need GoogleTest: node cmake/prerequisites.mjs --tests names its package. "
                      "To build without them: npm run compile.")
endif()
