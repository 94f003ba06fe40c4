/* Single numbers of losses that read their arrays by role: one call, and all that comes out of it. */
#ifndef LOSS_TEST_KNOWN_ROLES_H
#define LOSS_TEST_KNOWN_ROLES_H

#include "support/known.h"

enum { KNOWN_MOST = 512 }; /* numbers of an output */

/* An input: row-major numbers, as the element type or as int64. A list of them ends with a name of NULL. */
typedef struct known_role {
    const char *name;
    int64_t rows, columns;
    const double *numbers;
    int32_t integers;
} known_role;

typedef struct known_outputs {
    loss_status status; /* the rest is 777 when it is an error */
    double sum, denominator, value[KNOWN_MOST];
    double gradient[KNOWN_MOST], curvature[KNOWN_MOST], product[KNOWN_MOST]; /* of the role asked for */
} known_outputs;

/*
 * Evaluates in the context of known.h; values are value_rows × value_columns, derivatives those of the role `of`. The direction, of
 * that role's shape, may be NULL: ones.
 */
known_outputs evaluate_roles(const char *name, const char *options, loss_dtype dtype, const known_role *roles,
                             const char *of, const double *direction, int64_t value_rows,
                             int64_t value_columns);

#endif
