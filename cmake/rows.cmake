# The source list of a catalogue is its table of rows: LOSS_ROW(huber) in losses.def is loss/huber.c.
#
# loss_rows(out directory file.def) reads the rows, of which several may name one file; editing the table reconfigures the build.

function(loss_rows out directory table)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${directory}/${table})
  file(STRINGS ${directory}/${table} lines REGEX "^[A-Z_]+_ROW\\(")
  set(sources "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[A-Z_]+_ROW\\(([a-z0-9_]+).*" "\\1" name "${line}")
    list(APPEND sources ${directory}/${name}.c)
  endforeach()
  list(REMOVE_DUPLICATES sources)
  set(${out} ${sources} PARENT_SCOPE)
endfunction()
