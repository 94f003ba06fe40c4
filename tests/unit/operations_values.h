/* Operations of graphs at chosen points. */
#ifndef LOSS_TEST_OPERATIONS_VALUES_H
#define LOSS_TEST_OPERATIONS_VALUES_H

#include "operations.h"

typedef struct value_case {
    operation_case of;
    int inputs;        /* elements of the real inputs together; */
    double at[12];     /* these, or 1, 2, 3 … where the first is 0x1p99 */
    double slopes[12]; /* of them, with c = 1; not looked at where the first is 0x1p99 */
    double values[24]; /* the result */
} value_case;

#define COUNTED                                                                                              \
    {                                                                                                        \
        0x1p99                                                                                               \
    }
#define UNLOOKED                                                                                             \
    {                                                                                                        \
        0x1p99                                                                                               \
    }
#define NOT_A NAN

extern const value_case values[];
extern const int values_count;

#endif
