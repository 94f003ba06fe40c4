/* Digests of matrix products, which no public function gives by themselves. */
#ifndef LOSS_TEST_RESULTS_PRODUCT_H
#define LOSS_TEST_RESULTS_PRODUCT_H

#include <stdint.h>

#include "loss/loss.h"

enum { PRODUCT_SHAPES = 5, PRODUCT_NUMBERS = 63000 };

/*
 * The name of a shape, and A·B and C + A·B of it in that element type: a and b are PRODUCT_NUMBERS elements each, c has room for
 * 2 · 20000.
 */
const char *product_shape(int k);
loss_status product_of_shape(loss_context *context, int k, loss_dtype dtype, const void *a, const void *b,
                             void *c, int64_t *count);

#endif
