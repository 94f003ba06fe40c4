/*
 * The loop of losses with a structure in which each element of a row counts for itself: a formula on vectors of all roles.
 *
 * A formula reads in[r] and direction[r] and writes value and, for the differentiable roles, gradient[r], curvature[r] and
 * product[r], of all lanes and without the scale; what is not wanted is not stored. Roles are numbered as in the
 * structure; those that are not given are 0, and part->input[r].data tells them.
 */
#ifndef LOSSI_LOSS_ELEMENTWISE_H
#define LOSSI_LOSS_ELEMENTWISE_H

#include "loss/lanes.h"
#include "loss/structured.h"

enum { LOSSI_ELEMENT_ROLES = 4 };

typedef struct lossi_element {
    vreal in[LOSSI_ELEMENT_ROLES], direction[LOSSI_ELEMENT_ROLES];
    vreal value;
    vreal gradient[LOSSI_ELEMENT_ROLES], curvature[LOSSI_ELEMENT_ROLES], product[LOSSI_ELEMENT_ROLES];
} lossi_element;

typedef void (*lossi_element_formula)(const lossi_part *part, lossi_element *e);

LOSSI_INLINE vreal lossi_element_load(const void *array, int64_t i, int count)
{
    if (array == NULL) {
        return v_set1(0);
    }
    const real *from = (const real *)array + i;
    return count == VREAL_LANES ? v_load(from) : v_load_part(from, count);
}

LOSSI_INLINE void lossi_element_store(void *array, int64_t i, int count, vreal x)
{
    if (array == NULL) {
        return;
    }
    real *to = (real *)array + i;
    if (count == VREAL_LANES) {
        v_store(to, x);
    } else {
        v_store_part(to, x, count);
    }
}

/* `roles`, a constant, and `second`: how many roles there are, and whether curvatures or products are wanted; where that is a
 * constant too and they are not, the compiler leaves them out. */
LOSSI_INLINE void lossi_elements(const lossi_part *part, lossi_element_formula formula, int roles, int second)
{
    const int64_t elements = part->rows * part->columns;
    const vreal scale = v_set1((real)part->scale);
    for (int64_t i = 0; i < elements; i += VREAL_LANES) {
        const int count = elements - i < VREAL_LANES ? (int)(elements - i) : VREAL_LANES;
        lossi_element e;
        for (int r = 0; r < roles; r++) {
            e.in[r] = lossi_element_load(part->input[r].data, i, count);
            e.direction[r] = second ? lossi_element_load(part->output[r].direction, i, count) : v_set1(0);
            e.gradient[r] = e.curvature[r] = e.product[r] = v_set1(0);
        }
        formula(part, &e);
        lossi_element_store(part->value, i, count, e.value);
        for (int r = 0; r < roles; r++) {
            lossi_element_store(part->output[r].gradient, i, count, e.gradient[r] * scale);
            if (second) {
                lossi_element_store(part->output[r].curvature, i, count, e.curvature[r] * scale);
                lossi_element_store(part->output[r].product, i, count, e.product[r] * scale);
            }
        }
    }
}

LOSSI_INLINE int lossi_elementwise_second(const lossi_part *part, int roles)
{
    int second = 0;
    for (int r = 0; r < roles; r++) {
        second |= part->output[r].curvature != NULL || part->output[r].product != NULL;
    }
    return second;
}

/* `roles`, a constant */
LOSSI_INLINE void lossi_elementwise(const lossi_part *part, lossi_element_formula formula, int roles)
{
    if (lossi_elementwise_second(part, roles)) {
        lossi_elements(part, formula, roles, 1);
    } else {
        lossi_elements(part, formula, roles, 0);
    }
}

/* The same with one copy of the formula: where it is so long that what is not wanted hardly counts. */
LOSSI_INLINE void lossi_elementwise_long(const lossi_part *part, lossi_element_formula formula, int roles)
{
    lossi_elements(part, formula, roles, lossi_elementwise_second(part, roles));
}

#endif
