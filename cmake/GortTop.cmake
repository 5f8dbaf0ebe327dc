# SPDX-License-Identifier: MIT
# gort-top, from tools/top. It reads the structures of src/ in other processes, so it is built with
# the library's own headers, and installed with the library that it fits.
file(GLOB _files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/top/*.c")
add_executable(gort_top ${_files})
set_target_properties(gort_top PROPERTIES OUTPUT_NAME gort-top
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/libexec/gort")
target_compile_options(gort_top PRIVATE -std=gnu11)
target_include_directories(gort_top PRIVATE "${PROJECT_SOURCE_DIR}/tools/top")
target_link_libraries(gort_top PRIVATE gort_internal gort_test_warnings)
install(TARGETS gort_top DESTINATION libexec/gort)
