# What is installed: headers, libraries, the command, and the two ways to find them: CMake package and pkg-config.
#
# Shared and static libraries are exported apart, so a distribution may ship either; lossConfig.cmake chooses.

include(CMakePackageConfigHelpers)

set(LOSS_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/loss)
set(include_dir ${PROJECT_SOURCE_DIR}/include)

set(loss_headers export.h version.h status.h option.h context.h random.h data.h function.h gradient.h graph.h optimizer.h difference.h loss.h)
list(TRANSFORM loss_headers PREPEND ${include_dir}/loss/)
set(loss_io_headers ${include_dir}/loss/io.h)

foreach(linkage shared static)
  set(targets "")
  foreach(library loss loss_io)
    set(target ${library}_${linkage})
    if(TARGET ${target})
      target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${include_dir} FILES ${${library}_headers})
      list(APPEND targets ${target})
    endif()
  endforeach()
  if(targets)
    install(TARGETS ${targets} EXPORT loss-${linkage}-targets
            RUNTIME COMPONENT runtime
            LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
            ARCHIVE COMPONENT development
            FILE_SET HEADERS COMPONENT development
            INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT loss-${linkage}-targets NAMESPACE loss:: DESTINATION ${LOSS_CONFIG_DIR} COMPONENT development)
  endif()
endforeach()

if(TARGET loss_tool)
  install(TARGETS loss_tool RUNTIME COMPONENT runtime)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/lossConfig.cmake.in ${PROJECT_BINARY_DIR}/lossConfig.cmake
                              INSTALL_DESTINATION ${LOSS_CONFIG_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lossConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lossConfig.cmake ${PROJECT_BINARY_DIR}/lossConfigVersion.cmake
        DESTINATION ${LOSS_CONFIG_DIR} COMPONENT development)

# loss.pc finds its prefix from its own place, so an installed tree may be moved. Directories given as absolute paths
# stay as they are, and then so does the prefix.
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
else()
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up ${up})
  set(PC_PREFIX "\${pcfiledir}/${up}")
  set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
else()
  set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(PC_BLAS_LIBRARIES "")
foreach(library IN LISTS BLAS_LIBRARIES)
  string(APPEND PC_BLAS_LIBRARIES " ${library}")
endforeach()
set(PC_IO_LIBRARIES -lm)
if(LOSS_ZLIB AND LOSS_HAVE_ZLIB_HEADER AND LOSS_HAVE_ZLIB_LIBRARY) # as src/io/CMakeLists.txt has it
  string(APPEND PC_IO_LIBRARIES " -lz")
endif()
if(LOSS_JANSSON AND LOSS_HAVE_JANSSON_HEADER AND LOSS_HAVE_JANSSON_LIBRARY)
  string(APPEND PC_IO_LIBRARIES " -ljansson")
endif()
foreach(library loss loss_io)
  if(TARGET ${library}_shared OR TARGET ${library}_static)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${library}.pc.in ${PROJECT_BINARY_DIR}/${library}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${library}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
            COMPONENT development)
  endif()
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT development)
