# SPDX-License-Identifier: MIT
# The command `gort`, from tools/gort. It finds headers and libraries relative to itself, which is
# why the build tree and an installed tree have the same shape.
file(GLOB _files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/gort/*.c")
if(_files)
    add_executable(gort_command ${_files})
    set_target_properties(gort_command PROPERTIES OUTPUT_NAME gort)
    target_compile_options(gort_command PRIVATE $<$<COMPILE_LANGUAGE:C>:-std=gnu11>)
    target_compile_definitions(gort_command PRIVATE _GNU_SOURCE)
    target_include_directories(gort_command PRIVATE "${PROJECT_SOURCE_DIR}/tools/gort")
    target_link_libraries(gort_command PRIVATE gort_test_warnings)
endif()
