# SPDX-License-Identifier: MIT
# c-ares: names are resolved without a thread for each (Debian: libc-ares-dev). Found by pkg-config;
# 1.16 is the first that has ares_getaddrinfo.
#
# What pkg-config found is linked once as a trial: when cross-building it finds the library of the
# wrong processor.
#
# Sets GORT_CARES_LIBRARIES (link flags; "" when absent) and GORT_CARES_INCLUDE.
include(CheckSymbolExists)

set(GORT_CARES_LIBRARIES "")
set(GORT_CARES_INCLUDE "")

function(gort_find_cares)
    if(GORT_CARES STREQUAL "OFF")
        return()
    endif()
    find_package(PkgConfig QUIET)
    if(NOT PKG_CONFIG_FOUND)
        return()
    endif()
    pkg_check_modules(GORT_CARES_PC QUIET libcares>=1.16)
    if(NOT GORT_CARES_PC_FOUND)
        return()
    endif()
    set(CMAKE_REQUIRED_QUIET ON)
    set(CMAKE_REQUIRED_INCLUDES ${GORT_CARES_PC_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_LIBRARIES ${GORT_CARES_PC_LDFLAGS})
    unset(GORT_CARES_WORKS CACHE) # it may have been installed since
    check_symbol_exists(ares_getaddrinfo ares.h GORT_CARES_WORKS)
    if(GORT_CARES_WORKS)
        set(GORT_CARES_LIBRARIES ${GORT_CARES_PC_LDFLAGS} PARENT_SCOPE)
        set(GORT_CARES_INCLUDE ${GORT_CARES_PC_INCLUDE_DIRS} PARENT_SCOPE)
    endif()
endfunction()

gort_find_cares()
if(GORT_CARES_LIBRARIES)
    message(STATUS "c-ares: ${GORT_CARES_PC_VERSION}")
elseif(GORT_CARES STREQUAL "ON")
    message(FATAL_ERROR "c-ares was asked for and not found (Debian: libc-ares-dev, pkg-config)")
else()
    message(STATUS "c-ares: not used, names are resolved by getaddrinfo in threads")
endif()
