/*
 * Sorting rows by a key inside a kernel: a merge sort, which keeps the order of equal keys, needs no more than n log n
 * comparisons whatever the data, and none beyond n where the rows are in order already (Knuth, TAOCP vol. 3, 5.2.4).
 */
#ifndef LOSSI_LOSS_ORDER_H
#define LOSSI_LOSS_ORDER_H

#include <stdint.h>
#include <string.h>

typedef struct lossi_ordered {
    double key;
    int64_t row;
} lossi_ordered;

static inline void lossi_merge(const lossi_ordered *from, int64_t first, int64_t middle, int64_t end,
                               lossi_ordered *to)
{
    int64_t a = first, b = middle;
    for (int64_t i = first; i < end; i++) {
        const int take = a < middle && (b >= end || !(from[b].key < from[a].key));
        to[i] = take ? from[a++] : from[b++];
    }
}

/* Sorts n rows from the smallest key to the largest; gives the one of the two arrays in which they are then. */
static inline lossi_ordered *lossi_order(lossi_ordered *rows, lossi_ordered *buffer, int64_t n)
{
    int64_t unsorted = 1;
    while (unsorted < n && !(rows[unsorted].key < rows[unsorted - 1].key)) {
        unsorted++;
    }
    for (int64_t width = 1; unsorted < n && width < n; width *= 2) {
        for (int64_t first = 0; first < n; first += 2 * width) {
            const int64_t middle = first + width < n ? first + width : n;
            const int64_t end = middle + width < n ? middle + width : n;
            lossi_merge(rows, first, middle, end, buffer);
        }
        lossi_ordered *const sorted = buffer;
        buffer = rows;
        rows = sorted;
    }
    return rows;
}

#endif
