# Flags of our own targets. Nothing here touches CMAKE_C_FLAGS: a project that embeds libloss keeps its own.
#
# -ffp-contract=off is the same-bits contract: a fused multiply-add stands only where it is written.
# -fno-math-errno lets sqrt and fma be one instruction; nobody here reads errno after them.
# -Wno-missing-field-initializers: the rows of a table leave out what they do not have, which C makes 0.

function(loss_target_flags target)
  set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                             C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE -ffp-contract=off -fno-math-errno -Wall -Wextra -Wshadow
                         -Wno-missing-field-initializers -Wstrict-prototypes -Wmissing-prototypes
                         -Wpointer-arith -Wvla)
  if(NOT LOSS_DISPATCH)
    target_compile_definitions(${target} PRIVATE LOSSI_BASE_ONLY=1)
  endif()
  if(LOSS_EMULATE_AVX512)
    target_compile_definitions(${target} PRIVATE LOSSI_EMULATE_AVX512=1)
  endif()
  if(LOSS_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(LOSS_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${LOSS_SANITIZE} -fno-sanitize-recover=all
                           -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${LOSS_SANITIZE})
  endif()
endfunction()
