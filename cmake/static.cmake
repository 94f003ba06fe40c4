# A static archive that shows only the public names.
#
# Hidden visibility does not protect an archive: a program that happens to define lossi_sum would silently replace ours.
# So the objects are linked into one (ld -r) and every hidden name in it is made local. The price is that the
# archive has one member. Where that is not possible, or a sanitizer wants to see the names, the archive is a plain one.

function(loss_static_archive target)
  set(objects ${ARGN})
  if(CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF" AND CMAKE_LINKER AND CMAKE_OBJCOPY AND NOT LOSS_SANITIZE
     AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION AND NOT CMAKE_C_FLAGS MATCHES "-flto|--coverage"
     AND NOT CMAKE_CONFIGURATION_TYPES)
    set(single ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
    add_custom_command(OUTPUT ${single} DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM
                       COMMAND ${CMAKE_LINKER} -r -o ${single} ${objects}
                       COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${single}
                       COMMENT "Localising the internal names of ${target}")
    set_source_files_properties(${single} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
    set(objects ${single})
  endif()
  add_library(${target} STATIC ${objects})
  # The command depends on object files of other targets: Make must be told to build those targets first.
  string(REGEX MATCHALL "TARGET_OBJECTS:[^>]+" libraries "${ARGN}")
  foreach(library IN LISTS libraries)
    string(REPLACE "TARGET_OBJECTS:" "" library ${library})
    add_dependencies(${target} ${library})
  endforeach()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
endfunction()
