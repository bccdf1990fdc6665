# find_package(flowrun): the target flowrun::sdk and flowrun_add_plugin(NAME SOURCES...).
include(${CMAKE_CURRENT_LIST_DIR}/flowrunSdk.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/FlowrunPlugin.cmake)
find_program(FLOWRUN_COMMAND flowrun HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin)
