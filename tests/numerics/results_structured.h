/* Digests of losses that read more than predictions and targets, over their reference cases. */
#ifndef LOSS_TEST_RESULTS_STRUCTURED_H
#define LOSS_TEST_RESULTS_STRUCTURED_H

#include <stdint.h>

#include "support/structured_case.h"

/*
 * Evaluates every case of the file in that element type and folds value, gradients, curvatures, products, sum and
 * denominator into the hash, each as hash(hash, number). The status of the first call that failed.
 */
loss_status digest_cases(loss_context *context, const char *name, const case_file *file, loss_dtype dtype,
                         uint64_t (*hash)(uint64_t, double), uint64_t *digest);

#endif
