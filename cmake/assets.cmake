# The user interface in the program: each file of src/ui/dist compressed (gzip -n: no name, no time), and a table of them.
find_program(GZIP gzip REQUIRED)
file(GLOB ui_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/ui/dist/*)
set(ui_dir ${CMAKE_BINARY_DIR}/ui)
file(MAKE_DIRECTORY ${ui_dir})
set(ui_packed "")
set(ui_externs "")
set(ui_rows "")
set(ui_asm "/* made by cmake/assets.cmake */\n    .section .rodata\n")
set(ui_type_.html "text/html; charset=utf-8")
set(ui_type_.js "text/javascript; charset=utf-8")
set(ui_type_.css "text/css; charset=utf-8")
set(ui_type_.txt "text/plain; charset=utf-8")
set(ui_type_.svg "image/svg+xml")
set(ui_type_.webmanifest "application/manifest+json")
foreach(file ${ui_files})
  get_filename_component(name ${file} NAME)
  get_filename_component(ext ${file} LAST_EXT)
  string(MAKE_C_IDENTIFIER "ui_${name}" id)
  set(packed ${ui_dir}/${name}.gz)
  add_custom_command(OUTPUT ${packed} COMMAND ${GZIP} -9nc ${file} > ${packed} DEPENDS ${file} VERBATIM)
  list(APPEND ui_packed ${packed})
  string(APPEND ui_asm "    .global ${id}\n    .global ${id}_end\n${id}:\n    .incbin \"${packed}\"\n${id}_end:\n    .byte 0\n")
  string(APPEND ui_externs "extern const char ${id}[], ${id}_end[];\n")
  string(APPEND ui_rows "    {\"${name}\", \"${ui_type_${ext}}\", ${id}, ${id}_end},\n")
endforeach()
string(APPEND ui_asm "    .section .note.GNU-stack, \"\", %progbits\n#ifdef __CET__\n#include <cet.h>\n#endif\n")
file(CONFIGURE OUTPUT ${ui_dir}/assets.S CONTENT "${ui_asm}")
file(CONFIGURE OUTPUT ${ui_dir}/table.c CONTENT "/* made by cmake/assets.cmake */
#include \"ui/assets.h\"

${ui_externs}
const struct ui_asset ui_assets[] = {
${ui_rows}    {NULL, NULL, NULL, NULL},
};
")
set_source_files_properties(${ui_dir}/assets.S PROPERTIES COMPILE_OPTIONS -Wno-error OBJECT_DEPENDS "${ui_packed}")
set(ui_sources ${ui_dir}/assets.S ${ui_dir}/table.c)
