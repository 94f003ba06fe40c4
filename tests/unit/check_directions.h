/* A function with derivatives that may be wrong, and its objective: what the checks along directions are tested with. */
#ifndef LOSS_TEST_CHECK_DIRECTIONS_H
#define LOSS_TEST_CHECK_DIRECTIONS_H

#include "support/batch.h"
#include "support/check.h"

enum { MOST = 1000 };

/* A function with its derivatives, each of which can be made wrong. */
typedef struct plan {
    loss_dtype dtype;
    double (*value)(const double *x, int64_t n, double *gradient);
    int64_t wrong;         /* the element whose derivative has the wrong sign, −1 */
    double factor, offset; /* of the gradient, and to the value */
    double noise;          /* added to values, other every time */
    int32_t product;       /* what is wrong with the product: PRODUCT_… */
    int64_t calls;
    int32_t status;
} plan;

enum { PRODUCT_RIGHT, PRODUCT_ELEMENT, PRODUCT_FACTOR, PRODUCT_UNSYMMETRIC, PRODUCT_ZERO };

/* Σ exp(x_i / 2) + x_i x_{i+1} + ½ (1 + i mod 7) x_i², and its Hessian product as a callback; user is the plan. */
double chain(const double *x, int64_t n, double *gradient);
int32_t chain_product(void *user, int64_t n, const void *x, const void *direction, void *product);

typedef struct fixture {
    loss_context *context;
    loss_objective *objective;
    plan p;
    double x[MOST];
} fixture;

void make(fixture *f, loss_dtype dtype, int64_t n, const plan *p, loss_product_callback product,
          int32_t at_zero);
void unmake(fixture *f);

/* The tests of the other files of this executable. */
void in_a_corner(void **state);
void on_an_edge(void **state);
void a_fixed_parameter(void **state);
void gradients_of_nan(void **state);
void steep_gradients(void **state);
void steep_differences(void **state);

#endif
