# What the shared and the static form of a library have in common, and the name users link: loss::<name>.
#
# loss_library(name flag...) finishes the targets <name>_shared and <name>_static, those that exist; flags are system
# libraries. In a project that embeds libloss, BUILD_SHARED_LIBS of that project says which of the two loss::<name> is.

include(symbols)
include(static)

function(loss_library name)
  foreach(linkage shared static)
    set(target ${name}_${linkage})
    if(TARGET ${target})
      loss_target_flags(${target})
      set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name})
      target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
      target_link_libraries(${target} PRIVATE ${ARGN})
      add_library(loss::${target} ALIAS ${target})
    endif()
  endforeach()
  if(TARGET ${name}_static AND (NOT TARGET ${name}_shared OR (DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)))
    add_library(loss::${name} ALIAS ${name}_static)
  else()
    add_library(loss::${name} ALIAS ${name}_shared)
  endif()
endfunction()
