/*
 * The loop of losses with a structure in which each element of a row counts for itself: a formula on vectors of all roles.
 *
 * A formula reads in[r] and direction[r] and writes value and, for the differentiable roles, gradient[r], curvature[r] and
 * product[r], of all lanes and without the scale; what is not wanted is not stored. Roles are numbered as in the
 * structure; those that are not given are 0, and part->input[r].data tells them.
 */
#ifndef LOSSI_LOSS_ELEMENTWISE_H
#define LOSSI_LOSS_ELEMENTWISE_H

#include "loss/pointwise.h"
#include "loss/structured.h"

enum { LOSSI_ELEMENT_ROLES = 4 };

typedef struct lossi_element {
    vreal in[LOSSI_ELEMENT_ROLES], direction[LOSSI_ELEMENT_ROLES];
    vreal value;
    vreal gradient[LOSSI_ELEMENT_ROLES], curvature[LOSSI_ELEMENT_ROLES], product[LOSSI_ELEMENT_ROLES];
    vmask outside; /* where a number may lie outside its domain: what LOSSI_ADDS_UP wants to know */
} lossi_element;

typedef void (*lossi_element_formula)(const lossi_part *part, const real *parameters, lossi_element *e);

LOSSI_INLINE void lossi_element_parameters(const lossi_part *part, real *parameters)
{
    for (int k = 0; k < LOSSI_PARAMETERS; k++) {
        parameters[k] = (real)part->prepared->parameters[k];
    }
}

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
    real parameters[LOSSI_PARAMETERS];
    const vmask nowhere = {0};
    vmask outside = nowhere;
    lossi_element_parameters(part, parameters);
    for (int64_t i = 0; i < elements; i += VREAL_LANES) {
        const int count = elements - i < VREAL_LANES ? (int)(elements - i) : VREAL_LANES;
        lossi_element e;
        e.outside = nowhere;
        for (int r = 0; r < roles; r++) {
            e.in[r] = lossi_element_load(part->input[r].data, i, count);
            e.direction[r] = second ? lossi_element_load(part->output[r].direction, i, count) : v_set1(0);
            e.gradient[r] = e.curvature[r] = e.product[r] = v_set1(0);
        }
        formula(part, parameters, &e);
        outside = v_mask_or(outside, e.outside);
        lossi_element_store(part->value, i, count, e.value);
        for (int r = 0; r < roles; r++) {
            lossi_element_store(part->output[r].gradient, i, count, e.gradient[r] * scale);
            if (second) {
                lossi_element_store(part->output[r].curvature, i, count, e.curvature[r] * scale);
                lossi_element_store(part->output[r].product, i, count, e.product[r] * scale);
            }
        }
    }
    if (part->outside != NULL && v_mask_any(outside)) {
        *part->outside = 1;
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

/* Vector i of a plain loop: the gradients to their places; gives the value. `part` is a copy, whose fields stay in registers. */
LOSSI_INLINE vreal lossi_element_at(const lossi_part *part, lossi_element_formula formula,
                                    const real *parameters, int roles, int64_t i, vmask *outside)
{
    const vreal scale = v_set1((real)part->scale);
    const vmask nowhere = {0};
    lossi_element e;
    e.outside = nowhere;
    for (int r = 0; r < roles; r++) {
        e.in[r] = lossi_element_load(part->input[r].data, i, VREAL_LANES);
        e.direction[r] = e.gradient[r] = e.curvature[r] = e.product[r] = v_set1(0);
    }
    formula(part, parameters, &e);
    *outside = v_mask_or(*outside, e.outside);
    for (int r = 0; r < roles; r++) {
        lossi_element_store(part->output[r].gradient, i, VREAL_LANES, e.gradient[r] * scale);
    }
    return e.value;
}

/*
 * Whole packs of 16 elements, of which gradients are wanted and values, in an array or on the lanes; gives how many elements. Of a
 * short formula (`at_once`, a constant) the vectors of a pack stand side by side.
 */
LOSSI_INLINE int64_t lossi_elements_plain(const lossi_part *whole, lossi_element_formula formula, int roles,
                                          int at_once)
{
    const lossi_part part = *whole;
    const int64_t elements = part.rows * part.columns;
    real parameters[LOSSI_PARAMETERS];
    vmask outside = {0};
    f64v lanes[LOSSI_WIDE] = {{0}};
    int64_t i = 0;
    lossi_element_parameters(whole, parameters);
    if (part.value == NULL) {
        lossi_lanes_load(part.lanes, lanes);
    }
    for (; i + LOSSI_LANES <= elements; i += LOSSI_LANES) {
        vreal values[LOSSI_PACK];
        for (int r = 0; r < roles; r++) { /* of what is not there the address is never read */
            lossi_ask((const real *)part.input[r].data + i, part.ask_ahead);
            lossi_ask_to_write((real *)part.output[r].gradient + i, part.ask_ahead);
        }
        if (at_once) {
            LOSSI_UNROLL
            for (int v = 0; v < LOSSI_PACK; v++) {
                values[v] = lossi_element_at(&part, formula, parameters, roles, i + v * VREAL_LANES,
                                             &outside);
            }
        } else {
            LOSSI_NO_UNROLL
            for (int v = 0; v < LOSSI_PACK; v++) {
                values[v] = lossi_element_at(&part, formula, parameters, roles, i + v * VREAL_LANES,
                                             &outside);
            }
        }
        lossi_put_values(values, part.value, i, lanes);
    }
    if (part.value == NULL) {
        lossi_lanes_store(part.lanes, lanes);
    }
    if (part.outside != NULL && v_mask_any(outside)) {
        *part.outside = 1;
    }
    return i;
}

/* What is left of less than a pack, by the loop of any number of elements; `values` is where its values go without an array. */
LOSSI_INLINE lossi_part lossi_elements_left(const lossi_part *part, int roles, int64_t first, real *values)
{
    lossi_part rest = *part;
    rest.rows = part->rows * part->columns - first;
    rest.columns = 1;
    rest.value = part->value == NULL ? values : (real *)part->value + first;
    for (int r = 0; r < roles; r++) {
        const real *input = part->input[r].data;
        real *gradient = part->output[r].gradient;
        rest.input[r].data = input == NULL ? NULL : input + first;
        rest.output[r].gradient = gradient == NULL ? NULL : gradient + first;
    }
    return rest;
}

/* The same made: by `any`, which makes any number of elements of everything. */
LOSSI_INLINE void lossi_elements_rest(const lossi_part *part, int roles, int64_t done,
                                      void (*any)(const lossi_part *part))
{
    real values[LOSSI_LANES];
    const lossi_part rest = lossi_elements_left(part, roles, done, values);
    if (rest.rows == 0) {
        return;
    }
    any(&rest);
    for (int64_t i = 0; part->value == NULL && i < rest.rows; i++) {
        part->lanes[i] += (double)values[i];
    }
}

/* A part of which second derivatives may be wanted or not; `any` makes it by lossi_elements(), and what is left over here. */
LOSSI_INLINE void lossi_elementwise(const lossi_part *part, lossi_element_formula formula, int roles,
                                    int at_once, void (*any)(const lossi_part *part))
{
    if (lossi_elementwise_second(part, roles)) {
        any(part);
        return;
    }
    lossi_elements_rest(part, roles, lossi_elements_plain(part, formula, roles, at_once), any);
}

#endif
