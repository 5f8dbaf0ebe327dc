# SPDX-License-Identifier: MIT
# libbacktrace: file and line in traces. It lives in the compiler's own directory on Debian 12
# (libgcc-12-dev) and in a package of its own from Debian 13 on (libbacktrace-dev).
#
# The compiler is asked where the archive is; the full path goes into the link line and into
# gort.pc, because another compiler on the same machine need not search that directory. The header
# beside it cannot be reached by -I (its directory shadows the other compiler's stddef.h), so it is
# copied into the build tree.
#
# Sets GORT_BACKTRACE_LIBRARY ("" when absent) and the interface target gort_backtrace.

add_library(gort_backtrace INTERFACE)
set(GORT_BACKTRACE_LIBRARY "")

function(gort_find_backtrace)
    if(GORT_BACKTRACE STREQUAL "OFF")
        return()
    endif()
    set(_target)
    if(CMAKE_C_COMPILER_TARGET)
        set(_target "--target=${CMAKE_C_COMPILER_TARGET}")
    endif()
    execute_process(COMMAND "${CMAKE_C_COMPILER}" ${_target} -print-file-name=libbacktrace.a
                    OUTPUT_VARIABLE _archive OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT IS_ABSOLUTE "${_archive}" OR NOT EXISTS "${_archive}")
        return()
    endif()
    get_filename_component(_archive "${_archive}" REALPATH)
    get_filename_component(_dir "${_archive}" DIRECTORY)
    find_file(backtrace_header backtrace.h PATHS "${_dir}/include" NO_DEFAULT_PATH NO_CACHE)
    if(NOT backtrace_header)
        find_file(backtrace_header backtrace.h NO_CACHE)
    endif()
    if(NOT backtrace_header)
        return()
    endif()
    configure_file("${backtrace_header}"
                   "${PROJECT_BINARY_DIR}/generated/backtrace/backtrace.h" COPYONLY)
    try_compile(_works "${PROJECT_BINARY_DIR}/generated/backtrace/try"
                SOURCES "${PROJECT_SOURCE_DIR}/cmake/try_backtrace.c"
                CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_BINARY_DIR}/generated/backtrace"
                            "-DPOSITION_INDEPENDENT_CODE=ON"
                LINK_OPTIONS -shared
                COMPILE_DEFINITIONS -fPIC
                LINK_LIBRARIES "${_archive}")
    if(_works)
        set(GORT_BACKTRACE_LIBRARY "${_archive}" PARENT_SCOPE)
    endif()
endfunction()

gort_find_backtrace()
if(GORT_BACKTRACE_LIBRARY)
    target_include_directories(gort_backtrace SYSTEM INTERFACE
                               "${PROJECT_BINARY_DIR}/generated/backtrace")
    target_compile_definitions(gort_backtrace INTERFACE GOI_HAVE_BACKTRACE=1)
    message(STATUS "libbacktrace: ${GORT_BACKTRACE_LIBRARY}")
elseif(GORT_BACKTRACE STREQUAL "ON")
    message(FATAL_ERROR "libbacktrace was asked for and not found (Debian 12: libgcc-12-dev, "
            "Debian 13: libbacktrace-dev)")
else()
    message(STATUS "libbacktrace: not found, traces name functions by dladdr")
endif()
