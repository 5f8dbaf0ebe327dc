# SPDX-License-Identifier: MIT
# The warnings of the house, as two interface targets: gort_warnings for the library, whose frames
# are also bounded, and gort_test_warnings for programs written on the public headers.

include(CheckCCompilerFlag)

set(_common -Wall -Wextra -Wundef -Wshadow -Wvla -Wimplicit-fallthrough
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes$<SEMICOLON>-Wmissing-prototypes>)
if(GORT_WERROR)
    list(APPEND _common -Werror)
endif()

add_library(gort_warnings INTERFACE)
target_compile_options(gort_warnings INTERFACE ${_common} -Wcast-qual -Wswitch-enum)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(gort_warnings INTERFACE -Wthread-safety)
endif()
# Without optimisation, and with a sanitizer's red zones, frames say nothing about the source.
if(NOT GORT_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(gort_warnings INTERFACE -Wframe-larger-than=1024)
endif()

add_library(gort_test_warnings INTERFACE)
target_compile_options(gort_test_warnings INTERFACE ${_common})
