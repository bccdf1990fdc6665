# libflowrun, for programs that have flowrun inside: shared, with nothing visible but flowrun_*, and
# static, all rooms in one archive. In the build tree and installed: flowrun::flowrun, flowrun::static.
set(third_party fmt spdlog yaml-cpp simdjson utf8proc re2 ssl crypto z zstd dl pthread)
set(rooms embed exec config plugin operator state expr format columnar base operators)
if(FLOWRUN_SQL)
  list(APPEND third_party sqlite3)
  list(APPEND rooms sql)
endif()

file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/libflowrun.cpp @ONLY CONTENT
  "// libflowrun is the rooms and nothing else; a library must have a source.\n")
add_library(flowrun_shared SHARED ${CMAKE_CURRENT_BINARY_DIR}/libflowrun.cpp)
add_library(flowrun::flowrun ALIAS flowrun_shared)
target_link_libraries(flowrun_shared PUBLIC flowrun_sdk
  PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,flowrun_embed> flowrun_compile_options)
set(exports ${PROJECT_SOURCE_DIR}/cmake/libflowrun.map)
target_link_options(flowrun_shared PRIVATE -Wl,--version-script=${exports})
set_target_properties(flowrun_shared PROPERTIES EXPORT_NAME flowrun OUTPUT_NAME flowrun LINK_DEPENDS ${exports}
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

add_library(flowrun_static INTERFACE)
add_library(flowrun::static ALIAS flowrun_static)
target_link_libraries(flowrun_static INTERFACE flowrun_sdk flowrun_embed)

# One archive of all: its members are those of the rooms.
set(archive ${PROJECT_BINARY_DIR}/libflowrun.a)
set(script "CREATE ${archive}\n")
set(archives)
foreach(room ${rooms})
  string(APPEND script "ADDLIB $<TARGET_FILE:flowrun_${room}>\n")
  list(APPEND archives flowrun_${room})
endforeach()
string(APPEND script "SAVE\nEND\n")
file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/libflowrun.mri CONTENT "${script}")
add_custom_command(OUTPUT ${archive} COMMAND ${CMAKE_COMMAND} -E rm -f ${archive}
  COMMAND ${CMAKE_AR} -M < ${CMAKE_CURRENT_BINARY_DIR}/libflowrun.mri DEPENDS ${archives} VERBATIM)
add_custom_target(flowrun_archive ALL DEPENDS ${archive})
add_custom_target(libflowrun DEPENDS flowrun_shared flowrun_archive)

install(TARGETS flowrun_shared EXPORT flowrun_sdk COMPONENT library LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT library NAMELINK_COMPONENT library)
install(FILES ${archive} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
list(TRANSFORM third_party PREPEND "-l" OUTPUT_VARIABLE private_libraries)
list(JOIN private_libraries " " private_libraries)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  OUTPUT_VARIABLE up_to_prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/flowrun.pc.in flowrun.pc @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/cmake/flowrunConfig.cmake.in flowrunConfig.cmake @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/flowrun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/flowrunConfig.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/flowrun COMPONENT library)
