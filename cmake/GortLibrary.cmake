# SPDX-License-Identifier: MIT
# libgort, static and shared, from one set of objects.
#
# The objects are position independent and their thread-local accesses initial-exec: the static
# linker relaxes both in an executable, so the archive pays nothing for it. Only what GO_API marks
# is visible, and cmake/gort.map lists the prefixes once more for the dynamic linker.

# A directory under src/ with a module.cmake in it is a module (cmake/GortModules.cmake), all
# others are the library.
file(GLOB _dirs CONFIGURE_DEPENDS LIST_DIRECTORIES true "${PROJECT_SOURCE_DIR}/src/*")
set(GORT_SOURCES)
foreach(_dir IN LISTS _dirs)
    if(IS_DIRECTORY "${_dir}" AND NOT EXISTS "${_dir}/module.cmake")
        file(GLOB _files CONFIGURE_DEPENDS "${_dir}/*.c")
        list(APPEND GORT_SOURCES ${_files})
    endif()
endforeach()
file(GLOB _files CONFIGURE_DEPENDS
     "${PROJECT_SOURCE_DIR}/src/arch/${GORT_ARCH}/*.c"
     "${PROJECT_SOURCE_DIR}/src/arch/${GORT_ARCH}/*.S"
     "${PROJECT_SOURCE_DIR}/src/os/${GORT_OS}/*.c")
list(APPEND GORT_SOURCES ${_files})
# Of files that do the same by different means, the build picks one: the readiness interface of the
# system, and who names addresses.
if(NOT GORT_OS STREQUAL "linux")
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/netpoll/(epoll|uring)\\.c$")
else()
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/netpoll/kqueue\\.c$")
endif()
if(GORT_BACKTRACE_LIBRARY)
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/debug/symbol_dladdr\\.c$")
else()
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/debug/symbol_backtrace\\.c$")
endif()
if(GORT_CARES_LIBRARIES)
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/net/resolve_nocares\\.c$")
else()
    list(FILTER GORT_SOURCES EXCLUDE REGEX "/src/net/resolve_cares\\.c$")
endif()

# Where a switch of stacks is in line it pushes in the middle of a function (arch/x86_64/switch.h).
if(GORT_ARCH STREQUAL "x86_64")
    foreach(_file chan/chan.c chan/select.c sched/g.c sched/io.c sched/park.c)
        set_source_files_properties("${PROJECT_SOURCE_DIR}/src/${_file}" PROPERTIES
            COMPILE_OPTIONS "-mno-red-zone;-DGOI_NO_RED_ZONE=1")
    endforeach()
endif()

find_package(Threads REQUIRED)

# What it takes to include the headers of src/: the library itself, and tests that look inside.
add_library(gort_internal INTERFACE)
target_include_directories(gort_internal INTERFACE
    "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
# Not asked inside an expression: GORT_SANITIZE may be a list with commas.
set(_jitters OFF)
if(GORT_PARANOID OR GORT_SANITIZE)
    set(_jitters ON)
endif()
set(_hot_asserts OFF)
if(GORT_HOT_ASSERTS OR GORT_PARANOID OR GORT_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
    set(_hot_asserts ON)
endif()
target_compile_definitions(gort_internal INTERFACE
    _GNU_SOURCE $<$<BOOL:${_hot_asserts}>:GOI_HOT_ASSERTS=1>
    $<$<BOOL:${GORT_PARANOID}>:GOI_PARANOID=1>
    # Pauses at random at hand-overs (src/base/jitter.h), where speed does not matter anyway.
    $<$<BOOL:${_jitters}>:GOI_JITTERS=1>)
target_link_libraries(gort_internal INTERFACE gort_backtrace)

add_library(gort_objects OBJECT ${GORT_SOURCES})
target_compile_options(gort_objects PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-std=gnu11>
    -fPIC -fvisibility=hidden -ftls-model=initial-exec -pthread
    # Panics and go_exit unwind through the runtime's own frames.
    -fexceptions)
target_include_directories(gort_objects SYSTEM PRIVATE ${GORT_CARES_INCLUDE})
target_link_libraries(gort_objects PRIVATE gort_internal gort_warnings)
# The library announces to the race detector what it orders, so its own files go by the functions
# that do, and not by what <gort/sync.h> has inline (src/sync/internal.h decides at run time).
target_compile_definitions(gort_objects PRIVATE GOI_TSAN=1)
# The file that tells ThreadSanitizer about switches runs on both sides of them, so it must not be
# instrumented itself; it learns here whether the rest is.
if(GORT_SANITIZE MATCHES "thread")
    set_property(SOURCE "${PROJECT_SOURCE_DIR}/src/annot/annot.c" APPEND PROPERTY
        COMPILE_OPTIONS -fno-sanitize=thread -DGOI_TSAN_INSIDE=1)
endif()

add_library(gort_static STATIC $<TARGET_OBJECTS:gort_objects>)
add_library(gort SHARED $<TARGET_OBJECTS:gort_objects>)
foreach(_target gort gort_static)
    set_target_properties(${_target} PROPERTIES OUTPUT_NAME gort LINKER_LANGUAGE C)
    target_include_directories(${_target} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>")
endforeach()
target_link_libraries(gort_static PUBLIC
    ${GORT_BACKTRACE_LIBRARY} ${GORT_CARES_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS})
target_link_libraries(gort PRIVATE
    ${GORT_BACKTRACE_LIBRARY} ${GORT_CARES_LIBRARIES} Threads::Threads ${CMAKE_DL_LIBS})
set_target_properties(gort PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/gort.map")
target_link_options(gort PRIVATE
    "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/gort.map" -Wl,-Bsymbolic-functions)
# A sanitizer's runtime comes with the executable, so its symbols stay open in the library.
if(NOT GORT_SANITIZE)
    target_link_options(gort PRIVATE -Wl,-z,defs)
endif()
# Threads and thread-locals outlive dlclose: once loaded, the library stays.
target_link_options(gort PRIVATE -Wl,-z,nodelete)

add_library(gort::gort ALIAS gort)
add_library(gort::gort_static ALIAS gort_static)

# build/include, so that the build tree can be used as a prefix.
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include" SYMBOLIC)
