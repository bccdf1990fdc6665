# flowrun_embed_files(TARGET FILE ...): the bytes of the files stand in the target, found by their names with
# find_embedded_file of runtime/serve/embedded_files.h. Also a script: it writes the .cpp.
if(CMAKE_SCRIPT_MODE_FILE)
  set(types_html "text/html; charset=utf-8")
  set(types_js "text/javascript; charset=utf-8")
  set(types_css "text/css; charset=utf-8")
  set(types_svg "image/svg+xml")
  set(types_json "application/json")
  set(arrays)
  set(entries)
  set(count 0)
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    get_filename_component(extension ${file} LAST_EXT)
    string(SUBSTRING ${extension} 1 -1 extension)
    file(READ ${file} hex HEX)
    file(SIZE ${file} size)
    string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
    string(APPEND arrays "constexpr unsigned char kFile${count}[] = {\n    ${hex}};\n")
    string(APPEND entries "      {\"/${name}\", \"${types_${extension}}\",\n       {reinterpret_cast<const char*>(kFile${count}), ${size}}},\n")
    math(EXPR count "${count} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"runtime/serve/embedded_files.h\"

namespace flowrun {

namespace {

${arrays}
}  // namespace

const EmbeddedFile* find_embedded_file(std::string_view path) {
  static const EmbeddedFile kFiles[] = {
${entries}  };
  for (const EmbeddedFile& file : kFiles) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

}  // namespace flowrun
")
  return()
endif()

set(FLOWRUN_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(flowrun_embed_files target)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_files.cpp)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE files)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DOUTPUT=${output} -P ${FLOWRUN_EMBED_SCRIPT}
    DEPENDS ${files} ${FLOWRUN_EMBED_SCRIPT} VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
