/* The catalogue as a table: rows by index or name, kernels by instruction set and element type. */
#ifndef LOSSI_LOSS_REGISTRY_H
#define LOSSI_LOSS_REGISTRY_H

#include <stdint.h>

#include "loss/row.h"

int32_t lossi_registry_count(void);
const lossi_row *lossi_registry_row(int32_t index);

/* The index of a name or alias, −1 when there is none. */
int32_t lossi_registry_find(const char *name);

const lossi_kernels *lossi_registry_kernels(int32_t index, int32_t isa, int32_t real_index);

#endif
