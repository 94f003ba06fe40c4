/*
 * Options: every handle that can be configured is set by name, and can list what it knows.
 *
 * Contexts, functions, penalties, objectives and optimizers have loss_x_set_double / _int / _string / _array and getters
 * for the types of options they have; loss_x_option_count() and loss_x_option() give the descriptions below. A value
 * outside the bounds or a misspelt name is refused with a sentence in the context, and the old value stays.
 *
 * A loss_option describes one option. It is constant, lives as long as the library, and may be read by any thread.
 */
#ifndef LOSS_OPTION_H
#define LOSS_OPTION_H

#include <stdint.h>

#include "loss/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_option loss_option;

#define LOSS_OPTION_DOUBLE 1
#define LOSS_OPTION_INT    2
#define LOSS_OPTION_STRING 3
#define LOSS_OPTION_ARRAY  4

/* All of these: option may be NULL, which gives "" or 0 or NaN. Strings are static. Any thread. Since 0.1. */

LOSS_API const char *loss_option_name(const loss_option *option);

/* Other names that setters and getters take, which other libraries have for it, separated by spaces; "" when there are none. */
LOSS_API const char *loss_option_aliases(const loss_option *option);

/* LOSS_OPTION_DOUBLE, LOSS_OPTION_INT, LOSS_OPTION_STRING or LOSS_OPTION_ARRAY. */
LOSS_API int32_t loss_option_type(const loss_option *option);

/* The bounds, both included; NaN for strings. Elements of an array obey them one by one. */
LOSS_API double loss_option_minimum(const loss_option *option);
LOSS_API double loss_option_maximum(const loss_option *option);

/* The default of a double or an int (exact up to 2^53); NaN for strings and arrays, whose default is empty. */
LOSS_API double loss_option_default(const loss_option *option);

/* The default of a string option, "" for the others. */
LOSS_API const char *loss_option_default_string(const loss_option *option);

/* The words a string option accepts, separated by '|'; "" when they are not known beforehand, as the instruction sets of the
 * option "isa", which loss_context_isa_name() lists. */
LOSS_API const char *loss_option_choices(const loss_option *option);

/* One line of documentation. */
LOSS_API const char *loss_option_doc(const loss_option *option);

#ifdef __cplusplus
}
#endif

#endif
