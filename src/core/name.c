/*
 * The nearest name to a misspelt one.
 *
 * Edit distance with swaps of neighbours (Damerau 1964; the restricted form computed row by row): names are
 * short, so the quadratic table costs nothing.
 */
#include <stddef.h>
#include <string.h>

#include "core/option.h"

enum { LONGEST = 64 };

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Edits that turn a into b; names longer than LONGEST are never near. */
static int32_t distance(const char *a, const char *b)
{
    int32_t rows[3][LONGEST + 1];
    int32_t m = (int32_t)strnlen(a, LONGEST + 1), n = (int32_t)strnlen(b, LONGEST + 1);
    if (m > LONGEST || n > LONGEST) {
        return LONGEST;
    }
    for (int32_t j = 0; j <= n; j++) {
        rows[0][j] = j;
    }
    for (int32_t i = 1; i <= m; i++) {
        int32_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (int32_t j = 1; j <= n; j++) {
            int32_t replaced = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(replaced, 1 + least(before[j], now[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], two_before[j - 2] + 1);
            }
        }
    }
    return rows[m % 3][n];
}

const char *lossi_nearest(const char *name, lossi_name_at name_at, const void *names, int32_t count)
{
    const char *nearest = NULL;
    int32_t limit = 1 + (int32_t)strnlen(name, LONGEST) / 3;
    for (int32_t i = 0; i < count; i++) {
        const char *candidate = name_at(names, i);
        int32_t edits = distance(name, candidate);
        if (edits < limit || (edits == limit && nearest == NULL)) {
            limit = edits;
            nearest = candidate;
        }
    }
    return nearest;
}

loss_status lossi_fail_name(loss_context *context, const char *kind, const char *name, lossi_name_at name_at,
                            const void *names, int32_t count)
{
    const char *nearest = lossi_nearest(name, name_at, names, count);
    if (nearest != NULL) {
        return lossi_fail(context, LOSS_ERROR_NAME, "there is no %s '%.64s'; did you mean '%s'?", kind, name,
                          nearest);
    }
    return lossi_fail(context, LOSS_ERROR_NAME, "there is no %s '%.64s'", kind, name);
}
