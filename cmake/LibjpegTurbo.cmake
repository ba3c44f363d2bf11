# Builds libjpeg-turbo and defines the target `ghostnet_jpeg`, which is linked statically.
#   LIBJPEG_TURBO=<folder of its source>   otherwise the pinned release, fetched once into .libjpeg-turbo/.
# The pin is in package.json, under "libjpegTurbo": it is a part of an archive that a package registry keeps forever.
include(ExternalProject)

file(READ "${CMAKE_CURRENT_SOURCE_DIR}/package.json" _package)
string(JSON GHOSTNET_JPEG_PIN GET "${_package}" libjpegTurbo version)
string(JSON GHOSTNET_JPEG_URL GET "${_package}" libjpegTurbo url)
string(JSON GHOSTNET_JPEG_SHA256 GET "${_package}" libjpegTurbo sha256)
string(JSON GHOSTNET_JPEG_FOLDER GET "${_package}" libjpegTurbo folder)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/package.json")

# Downloads the pinned archive once and unpacks the folder of libjpeg-turbo.
function(ghostnet_fetch_libjpeg_turbo root)
  if(EXISTS "${root}/complete")
    return()
  endif()
  set(download "${root}.download")
  file(REMOVE_RECURSE "${root}" "${download}")
  message(STATUS "Fetching libjpeg-turbo ${GHOSTNET_JPEG_PIN} (4 MB)")
  foreach(attempt RANGE 2)
    file(DOWNLOAD "${GHOSTNET_JPEG_URL}" "${download}/archive.tar.gz" STATUS status TLS_VERIFY ON
         INACTIVITY_TIMEOUT 30)
    list(GET status 0 code)
    if(code EQUAL 0)
      break()
    endif()
  endforeach()
  list(GET status 1 complaint)
  set(advice "Or download and unpack it elsewhere, and set LIBJPEG_TURBO to its folder ${GHOSTNET_JPEG_FOLDER}.")
  if(NOT code EQUAL 0)
    file(REMOVE_RECURSE "${download}")
    message(FATAL_ERROR "${GHOSTNET_JPEG_URL} could not be fetched: ${complaint}. "
                        "Check the network, and https_proxy if there is a proxy. ${advice}")
  endif()
  # Not EXPECTED_HASH, which says nothing of what to do.
  file(SHA256 "${download}/archive.tar.gz" found)
  if(NOT found STREQUAL GHOSTNET_JPEG_SHA256)
    file(REMOVE_RECURSE "${download}")
    message(FATAL_ERROR "${GHOSTNET_JPEG_URL} has the SHA-256 ${found} instead of ${GHOSTNET_JPEG_SHA256} (package.json): "
                        "something between here and there altered it. Check the network. ${advice}")
  endif()
  file(ARCHIVE_EXTRACT INPUT "${download}/archive.tar.gz" DESTINATION "${download}"
       PATTERNS "${GHOSTNET_JPEG_FOLDER}/*")
  file(RENAME "${download}/${GHOSTNET_JPEG_FOLDER}" "${root}")
  file(REMOVE_RECURSE "${download}")
  file(TOUCH "${root}/complete")
endfunction()

if(DEFINED ENV{LIBJPEG_TURBO} AND NOT "$ENV{LIBJPEG_TURBO}" STREQUAL "")
  file(REAL_PATH "$ENV{LIBJPEG_TURBO}" GHOSTNET_JPEG_ROOT BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(_from "LIBJPEG_TURBO")
else()
  set(GHOSTNET_JPEG_ROOT "${CMAKE_CURRENT_SOURCE_DIR}/.libjpeg-turbo/${GHOSTNET_JPEG_PIN}")
  set(_from "fetched")
  ghostnet_fetch_libjpeg_turbo("${GHOSTNET_JPEG_ROOT}")
endif()

# Another version may decode to other values, or not have the functions that decode a part of an image.
set(_found "")
if(EXISTS "${GHOSTNET_JPEG_ROOT}/CMakeLists.txt")
  file(STRINGS "${GHOSTNET_JPEG_ROOT}/CMakeLists.txt" _found REGEX "^set\\(VERSION [0-9.]+\\)")
  string(REGEX REPLACE "^set\\(VERSION ([0-9.]+)\\)" "\\1" _found "${_found}")
endif()
if(NOT _found STREQUAL GHOSTNET_JPEG_PIN)
  message(FATAL_ERROR "The source of libjpeg-turbo ${GHOSTNET_JPEG_PIN} is not at ${GHOSTNET_JPEG_ROOT} (found: \"${_found}\"). "
                      "Set LIBJPEG_TURBO to the folder with its CMakeLists.txt, or unset it to fetch ${GHOSTNET_JPEG_PIN}.")
endif()
message(STATUS "libjpeg-turbo ${GHOSTNET_JPEG_PIN} at ${GHOSTNET_JPEG_ROOT} (${_from})")

# The environment does not change how it computes or how much memory it takes.
set(_flags "${CMAKE_C_FLAGS} -DNO_GETENV -DNO_PUTENV")
set(_simd ON)
# Without its assembly a decoder takes two to three times as long, which only a developer may choose: see prerequisites.mjs.
set(_require_simd OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|aarch64|arm64)$")
  set(_require_simd ON)
endif()
if(GHOSTNET_SANITIZE)
  # The sanitizers see nothing of assembly.
  set(_simd OFF)
  set(_require_simd OFF)
  string(APPEND _flags " -fsanitize=${GHOSTNET_SANITIZE} -fno-omit-frame-pointer -O1 -g1")
endif()

# Whatever decides which processor and which system the objects are for.
set(_passed "")
foreach(_name CMAKE_TOOLCHAIN_FILE CMAKE_SYSROOT CMAKE_C_COMPILER CMAKE_C_COMPILER_LAUNCHER CMAKE_AR CMAKE_RANLIB
              CMAKE_MAKE_PROGRAM CMAKE_OSX_ARCHITECTURES CMAKE_OSX_SYSROOT CMAKE_OSX_DEPLOYMENT_TARGET
              CMAKE_SYSTEM_NAME CMAKE_SYSTEM_PROCESSOR CMAKE_EXE_LINKER_FLAGS)
  if(_name MATCHES "^CMAKE_SYSTEM_" AND NOT CMAKE_CROSSCOMPILING)
    continue() # they would tell libjpeg-turbo that this is a cross build
  endif()
  if(NOT "${${_name}}" STREQUAL "")
    list(APPEND _passed "-D${_name}:STRING=${${_name}}")
  endif()
endforeach()

set(_build "${CMAKE_CURRENT_BINARY_DIR}/libjpeg-turbo")
set(_library "${_build}/${CMAKE_STATIC_LIBRARY_PREFIX}jpeg${CMAKE_STATIC_LIBRARY_SUFFIX}")
ExternalProject_Add(libjpeg_turbo
  SOURCE_DIR "${GHOSTNET_JPEG_ROOT}"
  BINARY_DIR "${_build}"
  PREFIX "${_build}-steps"
  CMAKE_ARGS
    ${_passed}
    "-DCMAKE_C_FLAGS:STRING=${_flags}"
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    # Node loads other copies of the library, sharp's for one: none must see the symbols of this one.
    -DCMAKE_C_VISIBILITY_PRESET=hidden
    -DENABLE_SHARED=OFF
    -DENABLE_STATIC=ON
    -DWITH_TURBOJPEG=OFF
    -DWITH_TOOLS=OFF
    -DWITH_TESTS=OFF
    -DWITH_SIMD=${_simd}
    -DREQUIRE_SIMD=${_require_simd}
    # No browser reads arithmetic coding, and what is not there needs no tests.
    -DWITH_ARITH_DEC=OFF
    -DWITH_ARITH_ENC=OFF
  # Its own warnings are its own business.
  BUILD_COMMAND "${CMAKE_COMMAND}" --build <BINARY_DIR> --target jpeg-static
  INSTALL_COMMAND ""
  BUILD_BYPRODUCTS "${_library}"
)

add_library(ghostnet_jpeg STATIC IMPORTED)
add_dependencies(ghostnet_jpeg libjpeg_turbo)
set_target_properties(ghostnet_jpeg PROPERTIES
  IMPORTED_LOCATION "${_library}"
  INTERFACE_INCLUDE_DIRECTORIES "${GHOSTNET_JPEG_ROOT}/src;${_build}")
