/* A loss function over arrays of every sort, on every instruction set: for the targets that make functions. */
#ifndef LOSS_TEST_FUZZ_EVALUATION_H
#define LOSS_TEST_FUZZ_EVALUATION_H

#include "fuzz/fuzz.h"

/* A context for the whole program. */
loss_context *fuzz_context(void);

/*
 * Sets options of the function, reads arrays for its roles from the stream, and evaluates. Promised is: the same status, and after
 * success the same bits, on every instruction set and with two threads; a sentence after failure, sum and denominator untouched.
 */
void fuzz_evaluate(fuzz_stream *s, loss_function *function);

#endif
