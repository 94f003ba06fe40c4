/*
 * The roles of a loss, described. Those of a loss with a structure stand in its row with their texts (loss/structured.h); what the
 * others read is the same for all, and follows from their flags.
 */
#include <stddef.h>

#include "loss/handle.h"
#include "loss/registry.h"
#include "loss/structured.h"

enum { PREDICTION, TARGET, PLAIN_ROLES };
enum { WEIGHT, MASK, LAST_ROLES };

/* What every loss reads, before and after the roles of its own. */
static const char *const plain_roles[PLAIN_ROLES] = {"prediction", "target"};
static const char *const last_roles[LAST_ROLES] = {"weight", "mask"};

static int32_t own_roles(const loss_function *function)
{
    const lossi_structure *structure = function->row->structure;
    if (structure == NULL) {
        return (function->row->flags & LOSSI_NO_TARGET) != 0 ? 1 : PLAIN_ROLES;
    }
    return structure->role_count;
}

int32_t loss_function_role_count(const loss_function *function)
{
    return function == NULL ? 0 : own_roles(function) + LAST_ROLES;
}

static int32_t is_role(const loss_function *function, int32_t index)
{
    return index >= 0 && index < loss_function_role_count(function);
}

const char *loss_function_role(const loss_function *function, int32_t index)
{
    if (!is_role(function, index)) {
        return NULL;
    }
    if (index >= own_roles(function)) {
        return last_roles[index - own_roles(function)];
    }
    return function->row->structure == NULL ? plain_roles[index]
                                            : function->row->structure->roles[index].name;
}

/* ---- what they are ---- */

static const char *prediction_doc(uint32_t flags)
{
    return (flags & LOSSI_POINTWISE) != 0 ? "rows x columns, real: each element is a prediction"
           : (flags & LOSSI_LABELS) != 0  ? "rows x columns, real: a row holds one number for each class"
                                          : "rows x columns, real: a row is one prediction";
}

static const char *target_doc(uint32_t flags)
{
    return (flags & LOSSI_LABELS_ONLY) != 0 ? "rows x 1, integer: the class, 0 to columns - 1"
           : (flags & LOSSI_LABELS) != 0
               ? "rows x columns, real: one number for each class, mostly their probabilities; or rows x 1, "
                 "integer: the class, 0 to columns - 1"
               : "rows x columns, real: what the prediction at the same place should be";
}

static const char *weight_doc(const lossi_row *row)
{
    return row->structure != NULL && row->structure->weight_doc != NULL ? row->structure->weight_doc
           : (row->flags & LOSSI_POINTWISE) != 0
               ? "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                 "weight x columns"
           : (row->flags & LOSSI_LABELS_ONLY) != 0
               ? "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                 "weight over the rows not ignored"
           : row->structure == NULL && (row->flags & LOSSI_LABELS) != 0
               ? "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                 "weight x class weight of the label, over the rows not ignored; with distributions that of "
                 "weight"
               : "rows x 1, real, optional: a factor on every output of its row; denominator: the sum of "
                 "weight";
}

const char *loss_function_role_doc(const loss_function *function, int32_t index)
{
    if (!is_role(function, index)) {
        return NULL;
    }
    const lossi_row *row = function->row;
    const int32_t own = own_roles(function);
    if (index >= own) {
        return index - own == WEIGHT ? weight_doc(row)
                                     : "rows x 1, uint8 or integer, optional: where it is 0 the row is not "
                                       "touched, its outputs "
                                       "are 0";
    }
    return row->structure != NULL ? row->structure->roles[index].doc
           : index == PREDICTION  ? prediction_doc(row->flags)
                                  : target_doc(row->flags);
}

const char *loss_function_role_outputs(const loss_function *function, int32_t index)
{
    if (!is_role(function, index)) {
        return NULL;
    }
    const lossi_structure *structure = function->row->structure;
    const int32_t differentiable = index < own_roles(function) &&
                                   (structure == NULL
                                        ? index == PREDICTION
                                        : (structure->roles[index].flags & LOSSI_DIFFERENTIABLE) != 0);
    return differentiable ? "gradient curvature product" : "";
}

int32_t lossi_function_role_is_column(const loss_function *function, int32_t index)
{
    const int32_t own = own_roles(function);
    const lossi_structure *structure = function->row->structure;
    return index >= own || (structure != NULL && (structure->roles[index].kind == LOSSI_ROLE_OFFSETS ||
                                                  structure->roles[index].rows == LOSSI_ROWS_OWN));
}
