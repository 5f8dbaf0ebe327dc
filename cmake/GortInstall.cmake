# SPDX-License-Identifier: MIT
# What `make install` puts where. Nothing installed knows the prefix it was configured with: the
# pkg-config file and the CMake package find it from their own place, so that DESTDIR, --prefix at
# install time and a moved directory all work.
include(CMakePackageConfigHelpers)

# lib, not lib/<multiarch>: `gort` looks for ../lib beside its own ../bin. Packagers may override.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "libraries, relative to the prefix")
include(GNUInstallDirs)

# The dynamic library needs no more than itself. A static link adds these.
set(GORT_PC_LIBS_PRIVATE "-pthread")
if(GORT_BACKTRACE_LIBRARY)
    string(PREPEND GORT_PC_LIBS_PRIVATE "${GORT_BACKTRACE_LIBRARY} ")
endif()
foreach(_flag IN LISTS GORT_CARES_LIBRARIES)
    string(PREPEND GORT_PC_LIBS_PRIVATE "${_flag} ")
endforeach()
if(CMAKE_DL_LIBS)
    string(APPEND GORT_PC_LIBS_PRIVATE " -l${CMAKE_DL_LIBS}")
endif()
# From the pkg-config file up to the prefix.
file(RELATIVE_PATH GORT_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" GORT_PC_UP "${GORT_PC_UP}")
set(GORT_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
configure_file(cmake/gort.pc.in generated/install/gort.pc @ONLY)
file(RELATIVE_PATH GORT_PC_UP "/lib/pkgconfig" "/")
string(REGEX REPLACE "/$" "" GORT_PC_UP "${GORT_PC_UP}")
set(GORT_PC_LIBDIR lib)
configure_file(cmake/gort.pc.in lib/pkgconfig/gort.pc @ONLY)

install(TARGETS gort gort_static EXPORT gortTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/gort.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL)
install(DIRECTORY include/gort DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_BINARY_DIR}/generated/install/gort.pc"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET gort_command)
    install(TARGETS gort_command DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/gort)
configure_package_config_file(cmake/gortConfig.cmake.in generated/install/gortConfig.cmake
                              INSTALL_DESTINATION ${_package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(generated/install/gortConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/generated/install/gortConfig.cmake"
              "${PROJECT_BINARY_DIR}/generated/install/gortConfigVersion.cmake"
        DESTINATION ${_package})
install(EXPORT gortTargets NAMESPACE gort:: DESTINATION ${_package})

# For `source`; and where gdb finds it by itself, below its auto-load directory under the library's
# own path, when the prefix is gdb's too (/usr).
install(FILES tools/gdb/gort-gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/gort)
install(CODE "
    set(_dir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/gdb/auto-load\")
    file(INSTALL DESTINATION \"\${_dir}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\" TYPE FILE
         RENAME libgort.so.${GORT_VERSION}-gdb.py
         FILES \"${PROJECT_SOURCE_DIR}/tools/gdb/gort-gdb.py\")")
foreach(_section 1 3 7)
    if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/docs/man${_section}")
        install(DIRECTORY docs/man${_section} DESTINATION ${CMAKE_INSTALL_MANDIR}
                FILES_MATCHING PATTERN "*.${_section}")
    endif()
endforeach()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
