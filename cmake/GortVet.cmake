# SPDX-License-Identifier: MIT
# gort-vet, from tools/vet, where libclang is found (Debian: libclang-dev). Without it everything
# else is built, and `gort vet` says what is missing.
set(GORT_VET AUTO CACHE STRING "AUTO | ON | OFF: gort vet, by libclang")

function(gort_find_libclang)
    set(_dirs)
    foreach(_version RANGE 24 14 -1)
        list(APPEND _dirs "/usr/lib/llvm-${_version}" "/usr/lib64/llvm${_version}")
    endforeach()
    find_path(GORT_LIBCLANG_INCLUDE clang-c/Index.h PATHS ${_dirs} PATH_SUFFIXES include)
    # Library and header of one version: the library is looked for beside the header first.
    get_filename_component(_prefix "${GORT_LIBCLANG_INCLUDE}" DIRECTORY)
    find_library(GORT_LIBCLANG_LIBRARY NAMES clang libclang PATHS "${_prefix}/lib" ${_dirs}
                 PATH_SUFFIXES lib)
    mark_as_advanced(GORT_LIBCLANG_INCLUDE GORT_LIBCLANG_LIBRARY)
endfunction()

# Not for another machine; and once or twice is enough for the variants of the suite: not in those
# that run no scripts.
set(_wanted ON)
if(GORT_VET STREQUAL "OFF" OR CMAKE_CROSSCOMPILING OR
   (GORT_TESTS AND DEFINED GORT_TEST_SCRIPTS AND "${GORT_TEST_SCRIPTS}" STREQUAL ""))
    set(_wanted OFF)
endif()
if(_wanted)
    gort_find_libclang()
endif()
if(_wanted AND GORT_LIBCLANG_INCLUDE AND GORT_LIBCLANG_LIBRARY)
    message(STATUS "libclang: ${GORT_LIBCLANG_LIBRARY}")
    # The prelude as an array, which knows no limit of a string's length.
    set(_prelude "${PROJECT_SOURCE_DIR}/tools/vet/prelude.h")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${_prelude}")
    file(READ "${_prelude}" _hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _hex "${_hex}")
    file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/generated/vet_prelude.c"
         CONTENT "extern const char vet_prelude[];\nconst char vet_prelude[] = {${_hex}0};\n")
    file(GLOB _files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tools/vet/*.c")
    add_executable(gort_vet ${_files} "${PROJECT_BINARY_DIR}/generated/vet_prelude.c")
    set_target_properties(gort_vet PROPERTIES OUTPUT_NAME gort-vet
        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/libexec/gort")
    target_compile_options(gort_vet PRIVATE -std=gnu11)
    target_compile_definitions(gort_vet PRIVATE _GNU_SOURCE)
    target_include_directories(gort_vet PRIVATE "${PROJECT_SOURCE_DIR}/tools/vet")
    target_include_directories(gort_vet SYSTEM PRIVATE "${GORT_LIBCLANG_INCLUDE}")
    target_link_libraries(gort_vet PRIVATE gort_test_warnings "${GORT_LIBCLANG_LIBRARY}")
    install(TARGETS gort_vet DESTINATION libexec/gort)
elseif(GORT_VET STREQUAL "ON")
    message(FATAL_ERROR "libclang was asked for and not found (Debian: libclang-dev)")
elseif(_wanted)
    message(STATUS "libclang: not used, there will be no gort vet (Debian: libclang-dev)")
endif()
