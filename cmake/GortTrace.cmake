# SPDX-License-Identifier: MIT
# `gort trace`: the program libexec/gort/gort-trace, from tools/trace. Its page is an array in it.
set(_page "${PROJECT_SOURCE_DIR}/tools/trace/page.html")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_page}")
file(READ "${_page}" _hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _hex "${_hex}")
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/generated/trace_page.c"
     CONTENT "#include <stddef.h>\nextern const unsigned char page_html[];\n\
extern const size_t page_html_size;\nconst unsigned char page_html[] = {${_hex}};\n\
const size_t page_html_size = sizeof page_html;\n")
add_executable(gort_trace "${PROJECT_SOURCE_DIR}/tools/trace/main.c"
               "${PROJECT_BINARY_DIR}/generated/trace_page.c")
set_target_properties(gort_trace PROPERTIES OUTPUT_NAME gort-trace
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/libexec/gort")
target_compile_options(gort_trace PRIVATE -std=gnu11)
target_compile_definitions(gort_trace PRIVATE _GNU_SOURCE)
target_link_libraries(gort_trace PRIVATE gort_test_warnings)
install(TARGETS gort_trace DESTINATION libexec/gort)
