/*
 * libloss: loss functions, exact derivatives, and the optimizers that use them.
 *
 * Conventions of the whole API
 *   - Every handle is opaque. loss_x_create() stores it in its first argument; loss_x_free() takes NULL.
 *   - Every fallible call returns a loss_status; 0 is LOSS_OK. After a failure the context has one sentence.
 *   - Sizes are int64_t, strides are counted in elements, values of f are double.
 *   - A pointer must not be NULL unless its text says so.
 *   - No call prints, aborts, changes the locale or the floating-point environment, or starts a thread unless the
 *     context's option "threads" is above 1.
 *   - Results are the same bits for any number of threads and any instruction set (docs/numerics.md).
 */
#ifndef LOSS_H
#define LOSS_H

#include "loss/version.h"
#include "loss/status.h"
#include "loss/option.h"
#include "loss/context.h"
#include "loss/random.h"
#include "loss/data.h"
#include "loss/function.h"
#include "loss/gradient.h"
#include "loss/graph.h"
#include "loss/optimizer.h"
#include "loss/difference.h"

#endif
