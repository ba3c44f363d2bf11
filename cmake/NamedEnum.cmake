# Writes generated/<header>: an enum whose names are known to the TypeScript side too, which is where they are defined.
#   name_of(Enum)   the name of a value        k<Enum>s   all values, in their order
function(ghostnet_named_enum header enum source)
  set(_enumerators "")
  set(_cases "")
  set(_values "")
  foreach(_name IN LISTS ARGN)
    string(APPEND _enumerators "  ${_name},\n")
    string(APPEND _cases "    case ${enum}::${_name}:\n      return \"${_name}\";\n")
    string(APPEND _values "${enum}::${_name}, ")
  endforeach()
  file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/generated/${header}" @ONLY CONTENT
"// Generated from ${source}.
#pragma once

namespace ghostnet {

enum class ${enum} {
@_enumerators@};

inline constexpr ${enum} k${enum}s[] = {@_values@};

constexpr const char* name_of(${enum} value) {
  switch (value) {
@_cases@  }
  return \"\";
}

}  // namespace ghostnet
")
endfunction()
