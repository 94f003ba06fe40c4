/* The arrays of a loss_data as the library sees them. The public half is loss/data.h. */
#ifndef LOSSI_CORE_DATA_H
#define LOSSI_CORE_DATA_H

#include <stdint.h>

#include "core/context.h"
#include "loss/data.h"

enum { LOSSI_ROLE_SIZE = 48 }; /* the longest role and its zero */

typedef struct lossi_array {
    char role[LOSSI_ROLE_SIZE];
    char *pointer; /* of inputs too: never written unless `output` is set */
    loss_dtype dtype;
    int32_t output;
    int64_t rows, columns, row_stride, column_stride;
} lossi_array;

/* One more reference, and one less. Seals the data on the way: who holds a reference may count on it. */
const loss_data *lossi_data_retain(const loss_data *data);
void lossi_data_drop(const loss_data *data);

void lossi_data_seal(const loss_data *data);

/* No arrays any more and not sealed, for the only one who holds it; as many as it had fit in without new memory. */
void lossi_data_clear(loss_data *data);

/* The array of that role, NULL when there is none. */
const lossi_array *lossi_data_find(const loss_data *data, const char *role);

int32_t lossi_data_count(const loss_data *data);
const lossi_array *lossi_data_at(const loss_data *data, int32_t index);

/* The scalar "scale". */
double lossi_data_scale(const loss_data *data);

/* Whether the rows lie one behind the other without gaps. */
static inline int32_t lossi_array_dense(const lossi_array *array)
{
    return (array->column_stride == 1 || array->columns <= 1) &&
           (array->row_stride == array->columns || array->rows <= 1);
}

#endif
