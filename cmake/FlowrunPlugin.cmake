# flowrun_add_plugin(NAME SOURCES...): NAME.so, a plugin of flowrun, with nothing visible but its entry.
# Used here and, installed, by whoever writes a plugin: find_package(flowrun).
function(flowrun_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE flowrun::sdk)
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()
