# SPDX-License-Identifier: MIT
# libgort-http: HTTP server and client, on libgort's public headers.
#
# Needs llhttp or http_parser, OpenSSL, wslay and libcurl (Debian: libhttp-parser-dev, libssl-dev,
# libwslay-dev, libcurl4-openssl-dev). When one is missing the library is not built, and says so.
# Debian 12 has of llhttp the sources alone (node-llhttp). They are taken where there is no other
# parser, or when they are asked for: so its tests run there as well.
set(GORT_HTTP AUTO CACHE STRING "libgort-http: AUTO (when what it needs is found), ON, OFF")
set(GORT_HTTP_PARSER AUTO CACHE STRING "parser of heads: AUTO, or llhttp if there is any")
if(GORT_HTTP STREQUAL "OFF")
    return()
endif()

find_path(GORT_LLHTTP_INCLUDE llhttp.h)
find_library(GORT_LLHTTP_LIBRARY llhttp)
find_path(GORT_LLHTTP_SOURCE llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(GORT_LLHTTP_SOURCE_INCLUDE llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
find_path(GORT_HTTP_PARSER_INCLUDE http_parser.h)
find_library(GORT_HTTP_PARSER_LIBRARY http_parser)
find_path(GORT_WSLAY_INCLUDE wslay/wslay.h)
find_library(GORT_WSLAY_LIBRARY wslay)
find_path(GORT_CURL_INCLUDE curl/curl.h)
find_library(GORT_CURL_LIBRARY curl)
find_path(GORT_OPENSSL_INCLUDE openssl/ssl.h)
find_library(GORT_SSL_LIBRARY ssl)
find_library(GORT_CRYPTO_LIBRARY crypto)
mark_as_advanced(GORT_LLHTTP_INCLUDE GORT_LLHTTP_LIBRARY GORT_LLHTTP_SOURCE
    GORT_LLHTTP_SOURCE_INCLUDE GORT_HTTP_PARSER_INCLUDE GORT_HTTP_PARSER_LIBRARY
    GORT_WSLAY_INCLUDE GORT_WSLAY_LIBRARY GORT_CURL_INCLUDE GORT_CURL_LIBRARY
    GORT_OPENSSL_INCLUDE GORT_SSL_LIBRARY GORT_CRYPTO_LIBRARY)

# Of two files that do the same by different means the build picks one.
set(_parser)
set(_parser_lib)
set(_parser_files)
set(_sources)
if(GORT_LLHTTP_SOURCE AND GORT_LLHTTP_SOURCE_INCLUDE)
    set(_sources TRUE)
endif()
if(GORT_LLHTTP_INCLUDE AND GORT_LLHTTP_LIBRARY)
    set(_parser llhttp)
    set(_parser_lib llhttp)
    set(_parser_include "${GORT_LLHTTP_INCLUDE}")
elseif(GORT_HTTP_PARSER_INCLUDE AND GORT_HTTP_PARSER_LIBRARY AND
    NOT (_sources AND GORT_HTTP_PARSER STREQUAL "llhttp"))
    set(_parser http_parser)
    set(_parser_lib http_parser)
    set(_parser_include "${GORT_HTTP_PARSER_INCLUDE}")
elseif(_sources)
    set(_parser llhttp)
    set(_parser_include "${GORT_LLHTTP_SOURCE_INCLUDE}")
    file(GLOB _parser_files "${GORT_LLHTTP_SOURCE}/*.c")
    set_source_files_properties(${_parser_files} PROPERTIES COMPILE_OPTIONS -w)
endif()

set(_missing)
if(NOT _parser)
    list(APPEND _missing "llhttp or http_parser")
endif()
if(NOT GORT_WSLAY_INCLUDE OR NOT GORT_WSLAY_LIBRARY)
    list(APPEND _missing wslay)
endif()
if(NOT GORT_CURL_INCLUDE OR NOT GORT_CURL_LIBRARY)
    list(APPEND _missing libcurl)
endif()
if(NOT GORT_OPENSSL_INCLUDE OR NOT GORT_SSL_LIBRARY OR NOT GORT_CRYPTO_LIBRARY)
    list(APPEND _missing OpenSSL)
endif()
if(_missing)
    list(JOIN _missing ", " _missing)
    if(GORT_HTTP STREQUAL "ON")
        message(FATAL_ERROR "libgort-http was asked for; not found: ${_missing}")
    endif()
    message(STATUS "libgort-http: not built, not found: ${_missing}")
    return()
endif()
message(STATUS "libgort-http: with ${_parser}")

set(_dir "${CMAKE_CURRENT_LIST_DIR}")
file(GLOB _http_files CONFIGURE_DEPENDS "${_dir}/*.c")
if(_parser STREQUAL "llhttp")
    list(FILTER _http_files EXCLUDE REGEX "/parser_http_parser\\.c$")
else()
    list(FILTER _http_files EXCLUDE REGEX "/parser_llhttp\\.c$")
endif()

add_library(gort_http_objects OBJECT ${_http_files} ${_parser_files})
target_compile_options(gort_http_objects PRIVATE
    -std=gnu11 -fPIC -fvisibility=hidden -pthread
    # A handler's panic and go_exit unwind through the server's frames.
    -fexceptions)
target_compile_definitions(gort_http_objects PRIVATE _GNU_SOURCE)
target_include_directories(gort_http_objects PRIVATE "${PROJECT_SOURCE_DIR}/include")
target_include_directories(gort_http_objects SYSTEM PRIVATE
    "${_parser_include}" "${GORT_WSLAY_INCLUDE}" "${GORT_CURL_INCLUDE}" "${GORT_OPENSSL_INCLUDE}")
target_link_libraries(gort_http_objects PRIVATE gort_warnings)

# By name, so that nothing installed has a path of this machine in it.
set(_http_libs ${_parser_lib} wslay curl ssl crypto)
add_library(gort_http_static STATIC $<TARGET_OBJECTS:gort_http_objects>)
add_library(gort_http SHARED $<TARGET_OBJECTS:gort_http_objects>)
set_target_properties(gort_http gort_http_static PROPERTIES
    OUTPUT_NAME gort-http LINKER_LANGUAGE C)
set_target_properties(gort_http PROPERTIES EXPORT_NAME http)
set_target_properties(gort_http_static PROPERTIES EXPORT_NAME http_static)
target_link_libraries(gort_http_static PUBLIC gort_static ${_http_libs})
target_link_libraries(gort_http PUBLIC gort PRIVATE ${_http_libs})
set_target_properties(gort_http PROPERTIES
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS "${_dir}/gort-http.map"
    # It finds libgort beside itself, also after both were moved.
    BUILD_RPATH_USE_ORIGIN ON
    INSTALL_RPATH "$ORIGIN")
target_link_options(gort_http PRIVATE
    "-Wl,--version-script=${_dir}/gort-http.map" -Wl,-Bsymbolic-functions)
if(NOT GORT_SANITIZE)
    target_link_options(gort_http PRIVATE -Wl,-z,defs)
endif()
add_library(gort::http ALIAS gort_http)
add_library(gort::http_static ALIAS gort_http_static)

# The same places and the same file as the core's (cmake/GortInstall.cmake).
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "libraries, relative to the prefix")
include(GNUInstallDirs)
list(TRANSFORM _http_libs PREPEND -l OUTPUT_VARIABLE _http_flags)
list(JOIN _http_flags " " GORT_HTTP_PC_LIBS)
file(RELATIVE_PATH GORT_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" GORT_PC_UP "${GORT_PC_UP}")
set(GORT_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
configure_file("${_dir}/gort-http.pc.in" generated/install/gort-http.pc @ONLY)
file(RELATIVE_PATH GORT_PC_UP "/lib/pkgconfig" "/")
string(REGEX REPLACE "/$" "" GORT_PC_UP "${GORT_PC_UP}")
set(GORT_PC_LIBDIR lib)
configure_file("${_dir}/gort-http.pc.in" lib/pkgconfig/gort-http.pc @ONLY)
install(TARGETS gort_http gort_http_static EXPORT gortTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES "${PROJECT_BINARY_DIR}/generated/install/gort-http.pc"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
