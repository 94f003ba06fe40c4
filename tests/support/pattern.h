/*
 * The first argument of a program with tests of the whole catalogue: a pattern of their names, such as 'huber*'. What no test of
 * the pattern needs is not read: the vectors of one loss are enough to test it.
 */
#ifndef LOSS_TEST_PATTERN_H
#define LOSS_TEST_PATTERN_H

#include <fnmatch.h>
#include <stddef.h>
#include <stdio.h>

/* NULL: every test. */
static inline int pattern_holds(const char *pattern, const char *name)
{
    return pattern == NULL || fnmatch(pattern, name, 0) == 0;
}

/* Whether nothing is tested, which is no success; then says so. `elsewhere` is the program with the other losses. */
static inline int pattern_finds_nothing(const char *pattern, size_t tests, const char *elsewhere)
{
    if (tests == 0) {
        fprintf(stderr,
                "no test is called '%s': is the line of the loss in losses.def, and is it none of %s?\n",
                pattern == NULL ? "*" : pattern, elsewhere);
    }
    return tests == 0;
}

#endif
