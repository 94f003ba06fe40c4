/* What the tests of losses with a structure share: see test_structured.c. */
#ifndef TEST_STRUCTURED_H
#define TEST_STRUCTURED_H

#include "support/structured_call.h"

/* One loss in one element type, with its reference. */
typedef struct loss_case {
    const char *name;
    loss_dtype dtype;
    loss_context *context;
    case_file file;
} loss_case;

/* The loss, set as a case says. */
loss_function *structured_make(const loss_case *given, const char *options);

/* The case after `index` (start with −1) of the element type, −1 at the end. */
int64_t structured_next(const loss_case *given, int64_t index, int32_t generic);

/* structured_bad_input.c */
void structured_test_nan(void **state);
void structured_test_roles(void **state);
void structured_test_missing(void **state);

/* structured_role_docs.c */
void structured_test_role_docs(void **state);
void structured_test_turned(void **state);

/* structured_bounds.c */
void structured_test_bounds(void **state);
void structured_test_extreme_options(void **state);
void structured_test_no_constant(void **state);

#endif
