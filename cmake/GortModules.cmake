# SPDX-License-Identifier: MIT
# Modules: libraries of their own, written on Gort's public headers (libgort-http and the like).
#
# A module is a directory src/NAME with a module.cmake in it, which is included here and defines its
# targets gort_NAME and gort_NAME_static, or returns early after saying what was missing. The core
# never links to a module, and a module's missing dependency never stops the core's build.
file(GLOB _modules CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/*/module.cmake")
foreach(_module IN LISTS _modules)
    include("${_module}")
endforeach()
