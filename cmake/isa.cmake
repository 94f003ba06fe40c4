# One kernel source, compiled once per instruction set and element type.
#
# loss_isa_objects(prefix source...) makes an object library per pair and lists their objects in the
# caller's variable <prefix>_OBJECTS. A source sees
#   LOSSI_ISA     base | avx2 | avx512 | neon     the instruction set, as a token to paste into names
#   LOSSI_ISA_<NAME>                              the same, to test with #ifdef
#   LOSSI_DTYPE   float32 | float64               the element type, as a token
#   LOSSI_REAL    32 | 64                         the same, as a number
#   LOSSI_ONCE                                    defined in exactly one of the passes: descriptors live there
# These objects are never built with LTO: it could move wide instructions into baseline code.

set(LOSS_ISAS base)
if(NOT LOSS_DISPATCH)
  # the baseline alone: a third of the compile time and of the code, and the same bits
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  list(APPEND LOSS_ISAS avx2 avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  list(APPEND LOSS_ISAS neon)
endif()

set(LOSS_ISA_FLAGS_base "")
set(LOSS_ISA_FLAGS_avx2 -mavx2 -mfma)
set(LOSS_ISA_FLAGS_avx512 -mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512)
set(LOSS_ISA_FLAGS_neon "")
if(LOSS_EMULATE_AVX512) # 64-byte vectors without their instructions: GCC would warn that their calling convention differs
  set(LOSS_ISA_FLAGS_avx512 -I${PROJECT_SOURCE_DIR}/tests/support/avx512 -mavx2 -mfma -Wno-psabi)
endif()

# How far kernels are optimised does not follow the build type, except where that is to debug or to be small: at -O2 GCC keeps
# loops of two and four turns that hold a row in registers. The baseline is kept short: it is what runs where nothing else
# does, and waits for multiply-adds that are calls.
set(LOSS_ISA_LEVEL_base -O2)
set(LOSS_ISA_LEVEL_avx2 -O3)
set(LOSS_ISA_LEVEL_avx512 -O3)
set(LOSS_ISA_LEVEL_neon -O3)
if(LOSS_EMULATE_AVX512)
  set(LOSS_ISA_LEVEL_avx512 -O1) # only the results matter
endif()

# Formulas so long that vectors wait for their own results, while what could be done meanwhile stands too far ahead to be seen. GCC
# orders instructions on x86 only after it has given out registers; for these losses before that too: up to 29 % less time on
# AVX-512, up to 26 % on AVX2 (the others are no faster, or slower: student_t by 15 %). Bits do not depend on it.
set(LOSS_SCHEDULED_avx512 accelerated_failure_time andrews asymmetric barron binary_cross_entropy cauchy cross_entropy focal
                          gamma generalized_logistic logistic negative_binomial poisson poly1_logistic savage
                          smoothed_quantile soft_margin squared_logarithmic_error tolerant tweedie welsch)
set(LOSS_SCHEDULED_avx2 ${LOSS_SCHEDULED_avx512} arctan log_cosh pseudo_huber)
set(LOSS_SCHEDULED_FLAGS_avx512 "")
set(LOSS_SCHEDULED_FLAGS_avx2 "")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(LOSS_SCHEDULED_FLAGS_avx2 -fschedule-insns -fsched-pressure --param=sched-pressure-algorithm=2)
  if(NOT LOSS_EMULATE_AVX512)
    set(LOSS_SCHEDULED_FLAGS_avx512 ${LOSS_SCHEDULED_FLAGS_avx2} -mtune=icelake-server)
  endif()
endif()

# Those of the sources that are scheduled get the flags, for this instruction set alone.
function(loss_schedule isa)
  list(TRANSFORM LOSS_SCHEDULED_${isa} PREPEND "/" OUTPUT_VARIABLE names)
  list(JOIN names "|" names)
  set(scheduled ${ARGN})
  list(FILTER scheduled INCLUDE REGEX "(${names})\\.c$")
  if(scheduled)
    set_property(SOURCE ${scheduled} APPEND PROPERTY COMPILE_OPTIONS
                 "$<$<STREQUAL:$<TARGET_PROPERTY:LOSS_ISA>,${isa}>:${LOSS_SCHEDULED_FLAGS_${isa}}>")
  endif()
endfunction()

function(loss_isa_objects prefix)
  loss_schedule(avx2 ${ARGN})
  loss_schedule(avx512 ${ARGN})
  set(objects "")
  foreach(isa IN LISTS LOSS_ISAS)
    string(TOUPPER ${isa} upper)
    foreach(bits 32 64)
      set(target ${prefix}_${isa}_float${bits})
      add_library(${target} OBJECT ${ARGN})
      loss_target_flags(${target})
      target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                                                   ${PROJECT_BINARY_DIR}/include)
      target_compile_definitions(${target} PRIVATE LOSSI_ISA=${isa} LOSSI_ISA_${upper}=1
                                 LOSSI_DTYPE=float${bits} LOSSI_REAL=${bits})
      if(isa STREQUAL "base" AND bits EQUAL 64)
        target_compile_definitions(${target} PRIVATE LOSSI_ONCE=1)
      endif()
      target_compile_options(${target} PRIVATE ${LOSS_ISA_FLAGS_${isa}}
                             $<$<NOT:$<CONFIG:Debug,MinSizeRel>>:${LOSS_ISA_LEVEL_${isa}}>)
      set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF LOSS_ISA ${isa})
      set_property(GLOBAL APPEND PROPERTY LOSS_ISA_TARGETS ${isa}:${target}) # tests/build disassembles them
      list(APPEND objects $<TARGET_OBJECTS:${target}>)
    endforeach()
  endforeach()
  set(${prefix}_OBJECTS ${objects} PARENT_SCOPE)
endfunction()
