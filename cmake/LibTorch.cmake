# Finds LibTorch and defines the target `ghostnet_libtorch`. In this order it uses:
#   LIBTORCH=<root of a distribution>   LIBTORCH_USE_PYTORCH=1 (the torch of python3)   the pinned wheel, fetched by pip.
# The pin, the location of its wheel, and the versions that a source build accepts are in package.json, under "libtorch".

file(READ "${CMAKE_CURRENT_SOURCE_DIR}/package.json" _package)
string(JSON GHOSTNET_LIBTORCH_PIN GET "${_package}" libtorch version)
string(JSON GHOSTNET_LIBTORCH_MIN GET "${_package}" libtorch sourceMinimum)
string(JSON GHOSTNET_LIBTORCH_BELOW GET "${_package}" libtorch sourceBelow)
string(JSON GHOSTNET_LIBTORCH_INDEX GET "${_package}" libtorch index)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/package.json")

# The version of the distribution at `root`, read from a header that every kind of distribution has.
function(ghostnet_libtorch_version root out)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT EXISTS "${root}/include/${header}")
      continue()
    endif()
    set(parts "")
    foreach(part MAJOR MINOR PATCH)
      file(STRINGS "${root}/include/${header}" line REGEX "^#define TORCH_VERSION_${part} [0-9]+")
      if(line MATCHES "([0-9]+)$")
        list(APPEND parts "${CMAKE_MATCH_1}")
      endif()
    endforeach()
    list(LENGTH parts known)
    if(known EQUAL 3)
      list(JOIN parts "." version)
      set(${out} "${version}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "No LibTorch at ${root}: include/torch/headeronly/version.h is missing or contains no version. "
                      "Set LIBTORCH to the folder that contains include/ and lib/, or unset it to fetch ${GHOSTNET_LIBTORCH_PIN}.")
endfunction()

function(ghostnet_run_python out)
  find_program(GHOSTNET_PYTHON NAMES python3 python)
  if(NOT GHOSTNET_PYTHON)
    message(FATAL_ERROR "pip fetches LibTorch, but python3 is missing. Install python3 with pip, "
                        "or set LIBTORCH to the root of a LibTorch distribution.")
  endif()
  execute_process(COMMAND "${GHOSTNET_PYTHON}" ${ARGN} OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_VARIABLE complaint RESULT_VARIABLE status)
  set(${out} "${text}" PARENT_SCOPE)
  set(${out}_STATUS "${status}" PARENT_SCOPE)
  set(${out}_COMPLAINT "${text}\n${complaint}" PARENT_SCOPE)
endfunction()

# Downloads the pinned wheel once and unpacks the headers, the licences and the libraries that the addon needs.
function(ghostnet_fetch_libtorch root)
  if(EXISTS "${root}/complete")
    return()
  endif()
  set(wheels "${root}.download")
  file(REMOVE_RECURSE "${root}" "${wheels}")
  set(platform "")
  if(CMAKE_CROSSCOMPILING)
    file(READ "${CMAKE_CURRENT_SOURCE_DIR}/packaging/platforms.json" platforms)
    string(JSON tag GET "${platforms}" "${GHOSTNET_LIBTORCH_PLATFORM}" wheel)
    set(platform --platform "${tag}")
  endif()
  # The libraries that libtorch_cpu needs: on ARM they are more, and differ from version to version.
  set(libraries "torch/lib/libc10.so" "torch/lib/libtorch.so" "torch/lib/libtorch_cpu.so" "torch/lib/libgomp*")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(libraries "torch/lib/*.so*")
  endif()
  message(STATUS "Fetching LibTorch ${GHOSTNET_LIBTORCH_PIN} (CPU, about 190 MB) with pip")
  # The +cpu build is on PyTorch's own index, which is used in addition to the configured index. If one of them cannot be
  # reached, pip must not wait for it.
  ghostnet_run_python(pip -m pip download --no-deps --only-binary=:all: --python-version 3.11 ${platform}
                      --retries 0 --timeout 3 --extra-index-url "${GHOSTNET_LIBTORCH_INDEX}"
                      --dest "${wheels}" "torch==${GHOSTNET_LIBTORCH_PIN}+cpu")
  file(GLOB wheel "${wheels}/torch-*.whl")
  if(NOT pip_STATUS EQUAL 0 OR NOT wheel)
    message(FATAL_ERROR "pip could not fetch torch==${GHOSTNET_LIBTORCH_PIN}+cpu:\n${pip_COMPLAINT}\n"
                        "Check the network, and that `python3 -m pip` works; or set LIBTORCH to a LibTorch distribution, "
                        "or LIBTORCH_USE_PYTORCH=1 to use the torch of python3.")
  endif()
  message(STATUS "Unpacking ${wheel}")
  file(ARCHIVE_EXTRACT INPUT "${wheel}" DESTINATION "${wheels}"
       PATTERNS "torch/include/*" ${libraries} "torch/version.py" "torch-*.dist-info/licenses/*")
  file(RENAME "${wheels}/torch" "${root}")
  file(GLOB licenses "${wheels}/torch-*.dist-info/licenses")
  file(RENAME "${licenses}" "${root}/licenses")
  file(REMOVE_RECURSE "${wheels}")
  file(TOUCH "${root}/complete")
endfunction()

if(DEFINED ENV{LIBTORCH} AND NOT "$ENV{LIBTORCH}" STREQUAL "")
  file(REAL_PATH "$ENV{LIBTORCH}" GHOSTNET_LIBTORCH_ROOT BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(GHOSTNET_LIBTORCH_FROM "LIBTORCH")
elseif("$ENV{LIBTORCH_USE_PYTORCH}" STREQUAL "1")
  ghostnet_run_python(GHOSTNET_LIBTORCH_ROOT -c "import os, torch\nprint(os.path.dirname(torch.__file__))")
  if(NOT GHOSTNET_LIBTORCH_ROOT_STATUS EQUAL 0)
    message(FATAL_ERROR "LIBTORCH_USE_PYTORCH=1, but python3 cannot import torch:\n${GHOSTNET_LIBTORCH_ROOT_COMPLAINT}")
  endif()
  set(GHOSTNET_LIBTORCH_FROM "LIBTORCH_USE_PYTORCH")
else()
  set(GHOSTNET_LIBTORCH_ROOT "${CMAKE_CURRENT_SOURCE_DIR}/.libtorch/${GHOSTNET_LIBTORCH_PIN}-cpu")
  if(CMAKE_CROSSCOMPILING)
    string(TOLOWER "${CMAKE_SYSTEM_NAME}" _system)
    string(REGEX REPLACE "^aarch64$" "arm64" _processor "${CMAKE_SYSTEM_PROCESSOR}")
    set(GHOSTNET_LIBTORCH_PLATFORM "${_system}-${_processor}")
    string(APPEND GHOSTNET_LIBTORCH_ROOT "-${GHOSTNET_LIBTORCH_PLATFORM}")
  endif()
  set(GHOSTNET_LIBTORCH_FROM "wheel")
  ghostnet_fetch_libtorch("${GHOSTNET_LIBTORCH_ROOT}")
endif()

ghostnet_libtorch_version("${GHOSTNET_LIBTORCH_ROOT}" GHOSTNET_LIBTORCH_VERSION)
if(GHOSTNET_LIBTORCH_VERSION VERSION_LESS GHOSTNET_LIBTORCH_MIN
   OR NOT GHOSTNET_LIBTORCH_VERSION VERSION_LESS GHOSTNET_LIBTORCH_BELOW)
  message(FATAL_ERROR "LibTorch ${GHOSTNET_LIBTORCH_VERSION} at ${GHOSTNET_LIBTORCH_ROOT} cannot be used: this source builds "
                      "with ${GHOSTNET_LIBTORCH_MIN} or later, below ${GHOSTNET_LIBTORCH_BELOW}. "
                      "Unset LIBTORCH and LIBTORCH_USE_PYTORCH to fetch ${GHOSTNET_LIBTORCH_PIN}.")
endif()
message(STATUS "LibTorch ${GHOSTNET_LIBTORCH_VERSION} at ${GHOSTNET_LIBTORCH_ROOT} (${GHOSTNET_LIBTORCH_FROM})")

add_library(ghostnet_libtorch INTERFACE)
target_include_directories(ghostnet_libtorch SYSTEM INTERFACE
  "${GHOSTNET_LIBTORCH_ROOT}/include" "${GHOSTNET_LIBTORCH_ROOT}/include/torch/csrc/api/include")
target_link_directories(ghostnet_libtorch INTERFACE "${GHOSTNET_LIBTORCH_ROOT}/lib")
target_link_libraries(ghostnet_libtorch INTERFACE torch torch_cpu c10)

# The loader reads this file to open the LibTorch that a source build was made with.
file(CONFIGURE OUTPUT "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libtorch.json" @ONLY CONTENT
  "{\n  \"version\": \"@GHOSTNET_LIBTORCH_VERSION@\",\n  \"root\": \"@GHOSTNET_LIBTORCH_ROOT@\",\n  \"from\": \"@GHOSTNET_LIBTORCH_FROM@\"\n}\n")
