# SPDX-License-Identifier: MIT
# gort-profile, from tools/profile and those parts of tools/top that look into a process. Like
# gort-top it is built with the library's own headers, and installed with the library that it fits.
file(GLOB _files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/profile/*.c")
list(APPEND _files "${PROJECT_SOURCE_DIR}/tools/top/args.c"
     "${PROJECT_SOURCE_DIR}/tools/top/target.c" "${PROJECT_SOURCE_DIR}/tools/top/symbol.c")
add_executable(gort_profile ${_files})
set_target_properties(gort_profile PROPERTIES OUTPUT_NAME gort-profile
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/libexec/gort")
target_compile_options(gort_profile PRIVATE -std=gnu11)
target_include_directories(gort_profile PRIVATE "${PROJECT_SOURCE_DIR}/tools/profile"
                           "${PROJECT_SOURCE_DIR}/tools/top")
target_link_libraries(gort_profile PRIVATE gort_internal gort_test_warnings)
install(TARGETS gort_profile DESTINATION libexec/gort)
