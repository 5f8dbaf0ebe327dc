# SPDX-License-Identifier: MIT
# The version stands once, in include/gort/base.h, where programs can test it.
set(GORT_VERSION 0.1.0)
get_filename_component(_version_header
                       "${CMAKE_CURRENT_LIST_DIR}/../include/gort/base.h" ABSOLUTE)
if(EXISTS "${_version_header}")
    set_property(DIRECTORY APPEND PROPERTY
                 CMAKE_CONFIGURE_DEPENDS "${_version_header}")
    file(STRINGS "${_version_header}" _lines
         REGEX "^#define GO_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    set(_parts)
    foreach(_name MAJOR MINOR PATCH)
        foreach(_line IN LISTS _lines)
            if(_line MATCHES "GO_VERSION_${_name} +([0-9]+)")
                list(APPEND _parts ${CMAKE_MATCH_1})
            endif()
        endforeach()
    endforeach()
    list(JOIN _parts . _version)
    if(_version MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
        set(GORT_VERSION ${_version})
    endif()
endif()
