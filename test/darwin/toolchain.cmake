# Compiles for macOS on another system, with the programs that cross.mjs puts into build/darwin/bin. For tests alone.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(GHOSTNET_DARWIN "${CMAKE_CURRENT_LIST_DIR}/../../build/darwin")
set(CMAKE_C_COMPILER "${GHOSTNET_DARWIN}/bin/cc")
set(CMAKE_CXX_COMPILER "${GHOSTNET_DARWIN}/bin/c++")
set(CMAKE_AR "${GHOSTNET_DARWIN}/bin/ar")
set(CMAKE_RANLIB "${GHOSTNET_DARWIN}/bin/ranlib")
# CMake insists on it, and nothing here is renamed.
set(CMAKE_INSTALL_NAME_TOOL true)
set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_DIR}/rules.cmake")
