# SPDX-License-Identifier: MIT
# Options, build types, and which directory of src/arch and src/os belongs to this target.

set(GORT_SANITIZE "" CACHE STRING "sanitizers for everything: address,undefined or thread")
option(GORT_PARANOID "run every structure's validator" OFF)
option(GORT_HOT_ASSERTS "asserts on the hottest paths too: for testing (src/base/assert.h)" OFF)
option(GORT_WERROR "warnings are errors" ON)
option(GORT_TESTS "build the tests" OFF)
set(GORT_BACKTRACE AUTO CACHE STRING "file and line in traces, by libbacktrace: AUTO, ON or OFF")
set(GORT_CARES AUTO CACHE STRING "names without a thread, by c-ares: AUTO, ON or OFF")

# Asserts stay on in the default build (no NDEBUG): the first aim is to be correct, the second to
# be debuggable. Only those of the hottest paths are kept for testing. Frame pointers stay too, for
# perf and for a quick look at a stuck process.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -fno-omit-frame-pointer -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -fno-omit-frame-pointer -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_C_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$")
    message(FATAL_ERROR "Gort needs gcc 12 or clang 14, or newer; this is ${CMAKE_C_COMPILER_ID}")
endif()

# The processor's directory under src/arch.
string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" _cpu)
if(_cpu MATCHES "^(x86_64|amd64)$")
    set(_arch x86_64)
elseif(_cpu MATCHES "^(aarch64|arm64)$")
    set(_arch aarch64)
else()
    set(_arch portable)
endif()
set(GORT_ARCH ${_arch} CACHE STRING "directory under src/arch")
if(NOT EXISTS "${PROJECT_SOURCE_DIR}/src/arch/${GORT_ARCH}")
    message(FATAL_ERROR "there is no src/arch/${GORT_ARCH}: Gort has not been ported to "
            "'${CMAKE_SYSTEM_PROCESSOR}' (docs/PORTING.md)")
endif()
string(TOLOWER "${CMAKE_SYSTEM_NAME}" GORT_OS)
if(NOT EXISTS "${PROJECT_SOURCE_DIR}/src/os/${GORT_OS}")
    message(FATAL_ERROR "there is no src/os/${GORT_OS}: Gort has not been ported to "
            "'${CMAKE_SYSTEM_NAME}' (docs/PORTING.md)")
endif()

# Everything that is linked together is sanitized together.
if(GORT_SANITIZE)
    add_compile_options(-fsanitize=${GORT_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${GORT_SANITIZE})
endif()

# A frame of many pages touches each of them in turn, so that it cannot step over the guard below a
# goroutine's stack. Smaller ones, as all of the library, compile to the same code as without.
include(CheckCCompilerFlag)
set(CMAKE_REQUIRED_FLAGS -Werror) # on some processors clang only warns that it does nothing
check_c_compiler_flag(-fstack-clash-protection GORT_HAVE_STACK_CLASH)
unset(CMAKE_REQUIRED_FLAGS)
if(GORT_HAVE_STACK_CLASH)
    add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fstack-clash-protection>)
endif()

# Messages name a source file from the top of the tree, wherever that tree lies.
add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

# The build tree has the shape of an installed one: bin/, lib/, include/.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
