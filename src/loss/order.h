/*
 * Items in the order of their keys; equal keys stay in the order of their items. Merging, bottom up (Knuth, TAOCP vol. 3, 5.2.4):
 * keys travel with their items, a step takes one side without a branch, for which side it is nobody can foresee, and items that
 * are in order already are left where they are.
 */
#ifndef LOSSI_LOSS_ORDER_H
#define LOSSI_LOSS_ORDER_H

#include "loss/lanes.h"

typedef struct lossi_run {
    double *key;
    int64_t *item;
} lossi_run;

/* Two runs, largest first: first … middle and middle … end, to one. A NaN key is equal to all others. */
static inline void lossi_order_merge(const lossi_run *from, int64_t first, int64_t middle, int64_t end,
                                     const lossi_run *to)
{
    int64_t left = first, right = middle, i = first;
    for (; left < middle && right < end; i++) {
        const double left_key = from->key[left], right_key = from->key[right];
        const int64_t left_item = from->item[left], right_item = from->item[right];
        const int64_t take = right_key > left_key;
        to->key[i] = take ? right_key : left_key;
        to->item[i] = take ? right_item : left_item;
        right += take;
        left += 1 - take;
    }
    const int64_t rest = left < middle ? left : right, count = end - i;
    memcpy(to->key + i, from->key + rest, (size_t)count * sizeof *to->key);
    memcpy(to->item + i, from->item + rest, (size_t)count * sizeof *to->item);
}

/* How many doubles of scratch that takes. */
static inline int64_t lossi_order_scratch(int64_t items)
{
    return 4 * lossi_padded(items);
}

/* The order of the items by factor · key (1 or −1), largest first, in scratch. */
static inline const int64_t *lossi_order_by(const real *key, double factor, int64_t items, double *scratch)
{
    const int64_t padded = lossi_padded(items);
    lossi_run from = {scratch, (int64_t *)(void *)(scratch + padded)};
    lossi_run to = {scratch + 2 * padded, (int64_t *)(void *)(scratch + 3 * padded)};
    int32_t sorted = 1;
    for (int64_t i = 0; i < items; i++) {
        from.key[i] = factor * (double)lossi_get(key + i);
        from.item[i] = i;
        sorted = sorted && !(i > 0 && from.key[i] > from.key[i - 1]);
    }
    for (int64_t width = 1; width < items && !sorted; width *= 2) {
        for (int64_t first = 0; first < items; first += 2 * width) {
            const int64_t middle = first + width < items ? first + width : items;
            const int64_t end = middle + width < items ? middle + width : items;
            lossi_order_merge(&from, first, middle, end, &to);
        }
        const lossi_run merged = to;
        to = from;
        from = merged;
    }
    return from.item;
}

static inline const int64_t *lossi_order_descending(const real *key, int64_t items, double *scratch)
{
    return lossi_order_by(key, 1, items, scratch);
}

static inline const int64_t *lossi_order_ascending(const real *key, int64_t items, double *scratch)
{
    return lossi_order_by(key, -1, items, scratch);
}

#endif
