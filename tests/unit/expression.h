/* Expressions built, compiled and run at once: for the tests that look inside. */
#ifndef LOSS_TEST_EXPRESSION_H
#define LOSS_TEST_EXPRESSION_H

#include "core/isa.h"
#include "loss/expression/program.h"
#include "support/check.h"

/* One node at one element, on the first instruction set; inputs in order. */
double run_once(lossi_expression *e, int32_t node, loss_dtype dtype, int32_t inputs, const double *values);

/* A program with scratch of its own. */
void run_program(const lossi_program *program, int32_t isa, loss_dtype dtype, int64_t n,
                 const void *const *inputs, void *const *outputs);

/* The same operation in long double, of libm alone. */
long double reference_of(int32_t operation, long double a, long double b, long double c);

/* ∂node/∂input by differences of the program in float64, extrapolated (Ridders, 1982); *error: how far that is sure. */
double difference_of(lossi_expression *e, int32_t node, int32_t inputs, const double *values, int32_t input,
                     double *error);

/* The tests of the other file. */
void random_graphs_are_what_libm_says(void **state);
void random_graphs_derive(void **state);
void random_graphs_have_the_same_bits(void **state);
void any_length_and_place(void **state);
void outputs_of_every_kind(void **state);
void outputs_over_inputs(void **state);
void scalars_are_computed_once(void **state);
void choices_are_their_parts(void **state);
void extremes_are_their_parts(void **state);
void pieces_are_their_parts(void **state);
void quotients_by_a_number(void **state);
void registers_are_used_again(void **state);
void memory_runs_out(void **state);
void nodes_run_out(void **state);

#endif
