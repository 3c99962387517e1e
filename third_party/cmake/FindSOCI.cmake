# SOCI of Debian ships no CMake config. Gives SOCI::SOCI: the core and the embedded SQLite backend.
find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_CORE soci_core)
find_library(SOCI_SQLITE soci_sqlite3)
find_path(SQLITE_INCLUDE_DIR sqlite3.h)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SOCI REQUIRED_VARS SOCI_CORE SOCI_SQLITE SOCI_INCLUDE_DIR SQLITE_INCLUDE_DIR)
if(SOCI_FOUND AND NOT TARGET SOCI::SOCI)
    add_library(SOCI::SOCI INTERFACE IMPORTED)
    set_target_properties(SOCI::SOCI PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR};${SOCI_INCLUDE_DIR}/soci"
        INTERFACE_LINK_LIBRARIES "${SOCI_CORE};${SOCI_SQLITE}")
endif()
