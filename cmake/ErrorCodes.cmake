# Makes error_codes.h from the catalogue in lib/errors.ts, which defines all codes.
set(_catalogue "${CMAKE_CURRENT_SOURCE_DIR}/lib/errors.ts")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_catalogue}")
file(STRINGS "${_catalogue}" _lines REGEX "^  GHOSTNET_[A-Z_]+: {")
if(NOT _lines)
  message(FATAL_ERROR "No error codes found in ${_catalogue}.")
endif()
set(_enumerators "")
set(_cases "")
foreach(_line IN LISTS _lines)
  string(REGEX MATCH "GHOSTNET_[A-Z_]+" _code "${_line}")
  string(APPEND _enumerators "  ${_code},\n")
  string(APPEND _cases "    case ErrorCode::${_code}: return \"${_code}\";\n")
endforeach()
file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/generated/error_codes.h" @ONLY CONTENT
"// Generated from lib/errors.ts.
#pragma once

namespace ghostnet {

enum class ErrorCode {
@_enumerators@};

constexpr const char* name_of(ErrorCode code) {
  switch (code) {
@_cases@  }
  return \"\";
}

}  // namespace ghostnet
")
