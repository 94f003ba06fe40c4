/*
 * The line search a method of descent was told to use, and how. The options are the first of every such method; its
 * own come behind them.
 */
#ifndef LOSSI_OPTIMIZER_LINE_SEARCH_CHOICE_H
#define LOSSI_OPTIMIZER_LINE_SEARCH_CHOICE_H

#include "optimizer/line_search/backtracking.h"
#include "optimizer/line_search/hager_zhang.h"
#include "optimizer/line_search/more_thuente.h"
#include "optimizer/optimizer.h"

enum {
    LOSSI_LINE_SEARCH,
    LOSSI_SUFFICIENT_DECREASE,
    LOSSI_CURVATURE,
    LOSSI_NONMONOTONE,
    LOSSI_SEARCH_OPTIONS
};

enum { LOSSI_HAGER_ZHANG, LOSSI_MORE_THUENTE, LOSSI_BACKTRACKING }; /* in the order of the choices */
enum { LOSSI_MOST_NONMONOTONE = 32 };

/* search: the default of the first, a string. */
/* clang-format off */
#define LOSSI_SEARCH_OPTION_ROWS(search)                                                                     \
    [LOSSI_LINE_SEARCH] = {.name = "line_search",                                                            \
                           .type = LOSS_OPTION_STRING,                                                       \
                           .text = search,                                                                   \
                           .choices = "hager_zhang|more_thuente|backtracking",                               \
                           .doc = "how a step along the direction is found"},                                \
    [LOSSI_SUFFICIENT_DECREASE] = {.name = "sufficient_decrease",                                            \
                                   .type = LOSS_OPTION_DOUBLE,                                               \
                                   .maximum = 0.5,                                                           \
                                   .doc = "share of the decrease its slope promises that a step has to "     \
                                          "reach; 0: 0.1 for hager_zhang, else 1e-4"},                       \
    [LOSSI_CURVATURE] = {.name = "curvature",                                                                \
                         .type = LOSS_OPTION_DOUBLE,                                                         \
                         .maximum = 1,                                                                       \
                         .doc = "share of the slope that may be left after a step; 0: 0.8 for hager_zhang, else 0.9; 0.1 where "    \
                                "the method wants it flat; backtracking does not look at it"},               \
    [LOSSI_NONMONOTONE] = {.name = "nonmonotone",                                                            \
                           .type = LOSS_OPTION_INT,                                                          \
                           .minimum = 1,                                                                     \
                           .maximum = LOSSI_MOST_NONMONOTONE,                                                \
                           .initial = 1,                                                                     \
                           .doc = "backtracking compares with the largest f of so many iterates; 1: down "   \
                                  "at every step"}
/* clang-format on */

/* How the last search ended; lossi_search_end_name() has the words. */
enum {
    LOSSI_END_NONE,
    LOSSI_END_WOLFE,
    LOSSI_END_STRONG_WOLFE,
    LOSSI_END_APPROXIMATE_WOLFE,
    LOSSI_END_ARMIJO,
    LOSSI_END_SETTLED,
    LOSSI_END_NO_DESCENT,
    LOSSI_END_NONFINITE,
    LOSSI_END_EXHAUSTED,
    LOSSI_END_PRECISION,
    LOSSI_ENDS
};

typedef struct lossi_line_search {
    double sufficient_decrease, curvature;
    double slope0;                         /* φ′(0) of this search */
    double values[LOSSI_MOST_NONMONOTONE]; /* of the last iterates */
    int64_t iterates; /* that left a value since the start or lossi_line_search_forget() */
    int32_t kind, nonmonotone;
    int32_t by_slopes; /* Hager–Zhang looks at slopes alone where it can */
    union {
        lossi_hager_zhang hager_zhang;
        lossi_more_thuente more_thuente;
        lossi_backtracking backtracking;
    } machine;
} lossi_line_search;

/* How exact φ is: the tolerance and band of Hager–Zhang, the spacing of numbers near 1, and what a change of φ has
 * to be more than to mean something; the last is for the other two. */
typedef struct lossi_search_noise {
    double tolerance, band, epsilon, rounding;
} lossi_search_noise;

/* Whether the options fit together. LOSS_OK or LOSS_ERROR_RANGE. For layout(). */
loss_status lossi_line_search_check(const loss_optimizer *optimizer);

/* Takes the options. For the start of a run. */
void lossi_line_search_choose(lossi_line_search *search, const loss_optimizer *optimizer);

/* Asks for flat ends where the options leave it open: c₂ = 0.1. After lossi_line_search_choose(). */
void lossi_line_search_flatten(lossi_line_search *search, const loss_optimizer *optimizer);

/*
 * For directions that want the end flat, such as conjugate ones: the Hager–Zhang search then looks for the zero of φ′, by
 * secants. Others are served better by what the values say about φ (CUTE: conjugate gradients with cubics need 11 % more
 * evaluations, L-BFGS 1 – 2 % less). After lossi_line_search_choose().
 */
void lossi_line_search_by_slopes(lossi_line_search *search);

/* The first trial is first_step > 0. TRY, or NO_DESCENT. */
lossi_search_status lossi_line_search_start(lossi_line_search *search, double value0, double slope0,
                                            double first_step, const lossi_search_noise *noise);

/* φ and φ′ at the step asked for, not necessarily finite. */
lossi_search_status lossi_line_search_tell(lossi_line_search *search, double value, double slope);

/* The step asked for. */
double lossi_line_search_step(const lossi_line_search *search);

/* Whether there were trials, and none of them had a finite φ. */
int32_t lossi_line_search_blind(const lossi_line_search *search);

/* Forgets the values of iterates before this one: a new beginning goes down. */
void lossi_line_search_forget(lossi_line_search *search);

/* LOSSI_END_… of a status other than TRY; value is that of the last trial. */
int32_t lossi_line_search_end(const lossi_line_search *search, lossi_search_status status, double value);
const char *lossi_search_end_name(int32_t end);

#endif
