# cmake --build … --target demo: the main job. A classifier of handwritten digits, trained by every family of optimizers;
# progress while it runs, then a table, and convergence.svg in the source tree.

add_custom_target(demo
                  COMMAND loss_tool compare tests/data/digits.csv --target digit --seeds 1-10 --plot convergence.svg
                  COMMAND ${CMAKE_COMMAND} -E echo
                  COMMAND ${CMAKE_COMMAND} -E echo "The gap of each family against its cost is drawn in convergence.svg"
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                  USES_TERMINAL VERBATIM)
