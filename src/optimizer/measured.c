/* Counters and measured numbers by name, from one table over the machine's struct. */
#include "optimizer/measured.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "optimizer/line_search/choice.h"

typedef struct place {
    const char *name;
    size_t offset;
} place;

static const place integers[] = {
    {"iterations", offsetof(lossi_machine, iterations)},
    {"evaluations", offsetof(lossi_machine, evaluations)},
    {"value_evaluations", offsetof(lossi_machine, value_evaluations)},
    {"gradient_evaluations", offsetof(lossi_machine, gradient_evaluations)},
    {"hessian_products", offsetof(lossi_machine, hessian_products)},
    {"hessians", offsetof(lossi_machine, hessians)},
    {"preconditions", offsetof(lossi_machine, preconditions)},
    {"batches", offsetof(lossi_machine, batches)},
    {"epoch", offsetof(lossi_machine, epoch)},
    {"restarts", offsetof(lossi_machine, restarts)},
    {"indices_count", offsetof(lossi_machine, indices_count)},
    {"callback_status", offsetof(lossi_machine, callback_status)},
};

static const place doubles[] = {
    {"value", offsetof(lossi_machine, value)},
    {"gradient_norm", offsetof(lossi_machine, gradient_norm)},
    {"step", offsetof(lossi_machine, taken)},
    {"held_out_value", offsetof(lossi_machine, held_out_value)},
    {"seconds", offsetof(lossi_machine, seconds)},
    {"test_value", offsetof(lossi_machine, test_value)},
    {"test_threshold", offsetof(lossi_machine, test_threshold)},
};

static const void *find(const loss_optimizer *optimizer, const place *places, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(places[i].name, name) == 0) {
            return (const char *)&optimizer->machine + places[i].offset;
        }
    }
    return NULL;
}

int32_t lossi_measured_int(const loss_optimizer *optimizer, const char *name, int64_t *value)
{
    const int64_t *found = find(optimizer, integers, sizeof integers / sizeof integers[0], name);
    if (found != NULL) {
        *value = *found;
    }
    return found != NULL;
}

/* Whether "step" is that of the trial being asked about; a stochastic method's is its rate at any time. */
static int32_t of_trial(const loss_optimizer *optimizer)
{
    const lossi_machine *m = &optimizer->machine;
    return optimizer->row->stochastic != NULL || (m->phase == LOSSI_RUNNING && m->asked && !m->shown);
}

int32_t lossi_measured_double(const loss_optimizer *optimizer, const char *name, double *value)
{
    const double *found = find(optimizer, doubles, sizeof doubles / sizeof doubles[0], name);
    if (found == NULL) {
        return 0;
    }
    *value = *found;
    if (found == &optimizer->machine.taken && of_trial(optimizer)) {
        *value = optimizer->machine.step;
    }
    if (found == &optimizer->machine.seconds && optimizer->machine.phase == LOSSI_RUNNING) {
        *value = lossi_clock() - optimizer->clock_start;
    }
    return 1;
}

int32_t lossi_measured_string(const loss_optimizer *optimizer, const char *name, const char **value)
{
    int32_t test = optimizer->machine.test;
    if (strcmp(name, "line_search_end") == 0) {
        *value = lossi_search_end_name(optimizer->machine.search_end);
        return 1;
    }
    if (strcmp(name, "test") != 0) {
        return 0;
    }
    if (test == LOSSI_TEST_NONE) {
        *value = "";
    } else if (test >= LOSSI_TEST_OWN) {
        *value = optimizer->row->options[test - LOSSI_TEST_OWN].name;
    } else {
        *value = lossi_common_options[test].name;
    }
    return 1;
}

int32_t lossi_measured_type(const char *name)
{
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        if (strcmp(integers[i].name, name) == 0) {
            return LOSS_OPTION_INT;
        }
    }
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        if (strcmp(doubles[i].name, name) == 0) {
            return LOSS_OPTION_DOUBLE;
        }
    }
    return strcmp(name, "test") == 0 || strcmp(name, "line_search_end") == 0 ? LOSS_OPTION_STRING : 0;
}
