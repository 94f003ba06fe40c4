/* Items in the order of their keys, largest first; equal keys stay in the order of their items. Merging, bottom up. */
#ifndef LOSSI_LOSS_ORDER_H
#define LOSSI_LOSS_ORDER_H

#include "loss/lanes.h"

/* Two sorted runs of `from`, first … middle and middle … end, to one of `to`. A NaN key is equal to all others. */
static void lossi_order_merge(const real *key, const int64_t *from, int64_t first, int64_t middle,
                              int64_t end, int64_t *to)
{
    int64_t left = first, right = middle;
    for (int64_t i = first; i < end; i++) {
        const int32_t take_right = left == middle || (right < end && lossi_get(key + from[right]) >
                                                                         lossi_get(key + from[left]));
        to[i] = take_right ? from[right++] : from[left++];
    }
}

/* order: `items` numbers; other: as many, scratch. */
static void lossi_order_descending(const real *key, int64_t items, int64_t *order, int64_t *other)
{
    int64_t *from = order, *to = other;
    for (int64_t i = 0; i < items; i++) {
        from[i] = i;
    }
    for (int64_t width = 1; width < items; width *= 2) {
        for (int64_t first = 0; first < items; first += 2 * width) {
            const int64_t middle = first + width < items ? first + width : items;
            const int64_t end = middle + width < items ? middle + width : items;
            lossi_order_merge(key, from, first, middle, end, to);
        }
        int64_t *const sorted = to;
        to = from;
        from = sorted;
    }
    if (from != order) {
        memcpy(order, from, (size_t)items * sizeof *order);
    }
}

#endif
