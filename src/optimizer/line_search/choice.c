/* One of three line searches behind the same calls: see choice.h. */
#include "optimizer/line_search/choice.h"

#include <math.h>

/* Beside those of Hager–Zhang: Nocedal & Wright, Numerical Optimization (2006), §3.1. */
static const double decreases[] = {
    [LOSSI_HAGER_ZHANG] = 0.1, [LOSSI_MORE_THUENTE] = 1e-4, [LOSSI_BACKTRACKING] = 1e-4};
/* Hager & Zhang's is 0.9; on the CUTE problems 0.8 saves 1 to 2 % of the evaluations. */
static const double curvatures[] = {
    [LOSSI_HAGER_ZHANG] = 0.8, [LOSSI_MORE_THUENTE] = 0.9, [LOSSI_BACKTRACKING] = 0.9};
static const double flat_curvature = 0.1;

static double decrease(const loss_optimizer *optimizer)
{
    double set = lossi_own_double(optimizer, LOSSI_SUFFICIENT_DECREASE);
    return set > 0.0 ? set : decreases[lossi_own_int(optimizer, LOSSI_LINE_SEARCH)];
}

static double curvature(const loss_optimizer *optimizer)
{
    double set = lossi_own_double(optimizer, LOSSI_CURVATURE);
    return set > 0.0 ? set : curvatures[lossi_own_int(optimizer, LOSSI_LINE_SEARCH)];
}

loss_status lossi_line_search_check(const loss_optimizer *optimizer)
{
    char least[32], most[32];
    if (lossi_own_int(optimizer, LOSSI_LINE_SEARCH) == LOSSI_BACKTRACKING ||
        decrease(optimizer) <= curvature(optimizer)) { /* equal: as where ends are wanted flat */
        return LOSS_OK;
    }
    return lossi_fail(
        optimizer->context, LOSS_ERROR_RANGE,
        "%s finds no step unless the option 'sufficient_decrease' (%s) is at most 'curvature' (%s)",
        optimizer->owner, lossi_number(decrease(optimizer), least), lossi_number(curvature(optimizer), most));
}

void lossi_line_search_choose(lossi_line_search *search, const loss_optimizer *optimizer)
{
    *search = (lossi_line_search){.sufficient_decrease = decrease(optimizer),
                                  .curvature = curvature(optimizer),
                                  .kind = (int32_t)lossi_own_int(optimizer, LOSSI_LINE_SEARCH),
                                  .nonmonotone = (int32_t)lossi_own_int(optimizer, LOSSI_NONMONOTONE)};
}

void lossi_line_search_flatten(lossi_line_search *search, const loss_optimizer *optimizer)
{
    if (lossi_own_double(optimizer, LOSSI_CURVATURE) == 0.0 &&
        search->sufficient_decrease <= flat_curvature) {
        search->curvature = flat_curvature;
    }
}

void lossi_line_search_forget(lossi_line_search *search)
{
    search->iterates = 0;
}

void lossi_line_search_by_slopes(lossi_line_search *search)
{
    search->by_slopes = 1;
}

/* The largest of the last values, with this one. */
static double remember(lossi_line_search *search, double value)
{
    double largest = value;
    search->values[search->iterates++ % search->nonmonotone] = value;
    for (int64_t i = 0; i < search->iterates && i < search->nonmonotone; i++) {
        largest = fmax(largest, search->values[i]);
    }
    return largest;
}

lossi_search_status lossi_line_search_start(lossi_line_search *search, double value0, double slope0,
                                            double first_step, const lossi_search_noise *noise)
{
    lossi_search_status status;
    search->slope0 = slope0;
    if (search->kind == LOSSI_HAGER_ZHANG) {
        lossi_hager_zhang *machine = &search->machine.hager_zhang;
        status = lossi_hager_zhang_start(machine, value0, slope0, first_step, noise->tolerance, noise->band,
                                         noise->epsilon);
        machine->delta = search->sufficient_decrease;
        machine->sigma = search->curvature;
        machine->by_slopes = search->by_slopes;
        return status;
    }
    if (search->kind == LOSSI_MORE_THUENTE) {
        const lossi_more_thuente_setup setup = {
            search->sufficient_decrease, search->curvature, noise->epsilon, 0.0, INFINITY, noise->rounding};
        return lossi_more_thuente_start(&search->machine.more_thuente, value0, slope0, first_step, &setup);
    }
    return lossi_backtracking_start(&search->machine.backtracking, value0, slope0, remember(search, value0),
                                    first_step, search->sufficient_decrease, noise->rounding);
}

lossi_search_status lossi_line_search_tell(lossi_line_search *search, double value, double slope)
{
    switch (search->kind) {
    case LOSSI_HAGER_ZHANG:
        return lossi_hager_zhang_tell(&search->machine.hager_zhang, value, slope);
    case LOSSI_MORE_THUENTE:
        return lossi_more_thuente_tell(&search->machine.more_thuente, value, slope);
    default: /* a step without a slope is of no use to the method */
        return lossi_backtracking_tell(&search->machine.backtracking, isfinite(slope) ? value : NAN);
    }
}

double lossi_line_search_step(const lossi_line_search *search)
{
    switch (search->kind) {
    case LOSSI_HAGER_ZHANG:
        return search->machine.hager_zhang.step;
    case LOSSI_MORE_THUENTE:
        return search->machine.more_thuente.step;
    default:
        return search->machine.backtracking.step;
    }
}

int32_t lossi_line_search_blind(const lossi_line_search *search)
{
    switch (search->kind) {
    case LOSSI_HAGER_ZHANG:
        return search->machine.hager_zhang.trials == 0 && search->machine.hager_zhang.nonfinite > 0;
    case LOSSI_MORE_THUENTE:
        return search->machine.more_thuente.trials == 0 && search->machine.more_thuente.nonfinite > 0;
    default:
        return search->machine.backtracking.trials == 0 && search->machine.backtracking.nonfinite > 0;
    }
}

/* ---- how it ended ---- */

static int32_t accepted(const lossi_line_search *search, double value)
{
    const lossi_hager_zhang *machine = &search->machine.hager_zhang;
    switch (search->kind) {
    case LOSSI_HAGER_ZHANG:
        return value - machine->value0 <= machine->delta * machine->step * machine->slope0
                   ? LOSSI_END_WOLFE
                   : LOSSI_END_APPROXIMATE_WOLFE;
    case LOSSI_MORE_THUENTE:
        return LOSSI_END_STRONG_WOLFE;
    default:
        return LOSSI_END_ARMIJO;
    }
}

int32_t lossi_line_search_end(const lossi_line_search *search, lossi_search_status status, double value)
{
    switch (status) {
    case LOSSI_SEARCH_ACCEPTED:
        return accepted(search, value);
    case LOSSI_SEARCH_SETTLED:
        return LOSSI_END_SETTLED;
    case LOSSI_SEARCH_NO_DESCENT:
        return LOSSI_END_NO_DESCENT;
    case LOSSI_SEARCH_NONFINITE:
        return LOSSI_END_NONFINITE;
    case LOSSI_SEARCH_EXHAUSTED:
        return LOSSI_END_EXHAUSTED;
    case LOSSI_SEARCH_PRECISION:
        return LOSSI_END_PRECISION;
    default:
        return LOSSI_END_NONE;
    }
}

const char *lossi_search_end_name(int32_t end)
{
    static const char *const names[LOSSI_ENDS] = {
        "",        "wolfe",      "strong_wolfe", "approximate_wolfe", "armijo",
        "settled", "no_descent", "nonfinite",    "exhausted",         "precision",
    };
    return names[end];
}
