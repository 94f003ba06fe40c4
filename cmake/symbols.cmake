# What a shared library exports: exactly the names in its .syms file, one a line, under one version node.
#
# loss_export_symbols(target list node) turns the list into a linker version script. The list is the only place to
# edit; tests/abi compares it with the headers and with the library. Static archives: see static.cmake.

include(CheckLinkerFlag)

function(loss_export_symbols target list node)
  if(NOT CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    return() # visibility attributes alone decide there
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  file(STRINGS ${list} names)
  list(JOIN names ";\n    " names)
  set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
  file(CONFIGURE OUTPUT ${script} @ONLY
       CONTENT "@node@ {\n  global:\n    @names@;\n  local:\n    *;\n};\n")
  target_link_options(${target} PRIVATE LINKER:--version-script=${script})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})

  # A listed name that does not exist is an error, where the linker knows how to say so (GNU ld 2.40, lld).
  check_linker_flag(C LINKER:--no-undefined-version LOSS_LINKER_HAS_NO_UNDEFINED_VERSION)
  if(LOSS_LINKER_HAS_NO_UNDEFINED_VERSION)
    target_link_options(${target} PRIVATE LINKER:--no-undefined-version)
  endif()

  # A forgotten -lm shows here and not at the user's. Clang leaves its sanitizer runtime to the executable.
  if(NOT (LOSS_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES "Clang"))
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
endfunction()
