/* The catalogue: explicit constant tables made from losses.def, so that no linker can drop a row. */
#include "loss/registry.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"

#define LOSS_ROW(name)                                                                                       \
    extern const lossi_row lossi_row_##name;                                                                 \
    extern const lossi_kernels LOSSI_ISA_DECLARE(name);
#include "loss/losses.def"
#undef LOSS_ROW

static const lossi_row *const rows[] = {
#define LOSS_ROW(name) &lossi_row_##name,
#include "loss/losses.def"
#undef LOSS_ROW
};

static const lossi_kernels *const kernels[][LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = {
#define LOSS_ROW(name) LOSSI_ISA_TABLE(name),
#include "loss/losses.def"
#undef LOSS_ROW
};

int32_t lossi_registry_count(void)
{
    return (int32_t)(sizeof rows / sizeof *rows);
}

const lossi_row *lossi_registry_row(int32_t index)
{
    return index >= 0 && index < lossi_registry_count() ? rows[index] : NULL;
}

/* Whether the word is one of those in a list separated by spaces. */
static int32_t listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (length > 0 && *list != '\0') {
        size_t end = strcspn(list, " ");
        if (end == length && strncmp(list, word, length) == 0) {
            return 1;
        }
        list += end + strspn(list + end, " ");
    }
    return 0;
}

int32_t lossi_registry_find(const char *name)
{
    for (int32_t i = 0; i < lossi_registry_count(); i++) {
        if (strcmp(rows[i]->name, name) == 0 || listed(rows[i]->aliases, name)) {
            return i;
        }
    }
    return -1;
}

const lossi_kernels *lossi_registry_kernels(int32_t index, int32_t isa, int32_t real_index)
{
    return kernels[index][isa][real_index];
}
