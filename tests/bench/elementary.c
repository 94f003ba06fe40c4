/* Finds, times and checks the vector functions of other libraries. */
#include "elementary.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKED = 1 << 17, MOST_KEPT = 64 };

static const double accurate = 1; /* ulp: a function with a larger error is shown, but is no yardstick */

const char *const bench_source_names[BENCH_SOURCES] = {"sleef", "libmvec", "own"};

static _Alignas(64) char arguments[2][CHECKED * 8], results[CHECKED * 8]; /* arguments by type */

typedef struct candidate {
    const bench_passes *passes;
    void (*function)(void); /* NULL: own */
    bench_pass own;
    int bits;
    int64_t count;
} candidate;

static void apply(const bench_passes *passes, void (*function)(void), bench_pass own, int bits, int64_t count)
{
    const char *from = arguments[bits == 64];
    if (function != NULL) {
        passes->call(function, count, from, results);
    } else {
        own(count, from, from, results);
    }
}

static void run_candidate(void *argument)
{
    const candidate *c = argument;
    apply(c->passes, c->function, c->own, c->bits, c->count);
}

static void run_limit(void *argument)
{
    const bench_elementary *e = argument;
    apply(e->passes, e->function, e->own, e->bits, BENCH_HOT);
}

/* ---- looking up ---- */

static void *library(int source)
{
    static void *handles[2];
    static const char *const names[] = {"libsleef.so.3", "libmvec.so.1"};
    if (handles[source] == NULL) {
        handles[source] = dlopen(names[source], RTLD_NOW);
    }
    return handles[source];
}

static int known(candidate *c, int source, const char *symbol)
{
    void *address = library(source) == NULL ? NULL : dlsym(library(source), symbol);
    memcpy(&c->function, &address, sizeof address);
    return address != NULL;
}

/* Fills in the symbol, and the function where it is there. */
static int find(candidate *c, const char *name, int bits, int source, char symbol[BENCH_SYMBOL])
{
    static const char *const accuracies[] = {"u10",
                                             "u15"}; /* SLEEF's names for errors up to 1.0 and 1.5 ulp */
    if (source == BENCH_OWN) {
        snprintf(symbol, BENCH_SYMBOL, "v_%s", name);
        for (const bench_function *own = c->passes->own; own->name != NULL; own++) {
            c->own = strcmp(own->name, name) == 0 ? own->run : c->own;
        }
        return c->own != NULL;
    }
    if (c->passes->letter == 0) {
        return 0;
    }
    if (source == BENCH_LIBMVEC) {
        snprintf(symbol, BENCH_SYMBOL, "_ZGV%cN%dv_%s%s", c->passes->letter, c->passes->lanes, name,
                 bits == 32 ? "f" : "");
        return known(c, source, symbol);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(symbol, BENCH_SYMBOL, "Sleef_%s%s%d_%s%s", name, bits == 32 ? "f" : "d", c->passes->lanes,
                 accuracies[i], c->passes->suffix);
        if (known(c, source, symbol)) {
            return 1;
        }
    }
    return 0;
}

/* ---- accuracy ---- */

/* Evenly over 0 … 8, where every function of one argument is defined. */
static void fill(int bits)
{
    for (int64_t i = 0; i < CHECKED; i++) {
        double x = 8 * ((double)(i * 40503 % CHECKED) + 0.5) /
                   CHECKED; /* an odd factor: each once, in no order */
        if (bits == 32) {
            ((float *)(void *)arguments[0])[i] = (float)x;
        } else {
            ((double *)(void *)arguments[1])[i] = x;
        }
    }
}

/* The largest error against libm in long double, on all arguments. */
static double largest_error(const bench_elementary *e, candidate *c)
{
    char name[20];
    long double (*exact)(long double);
    double largest = 0;
    snprintf(name, sizeof name, "%sl", e->name);
    void *address = dlsym(RTLD_DEFAULT, name);
    if (address == NULL) {
        return NAN;
    }
    memcpy(&exact, &address, sizeof address);
    apply(c->passes, c->function, c->own, c->bits, CHECKED);
    for (int64_t i = 0; i < CHECKED; i++) {
        const double x = e->bits == 32 ? (double)((float *)(void *)arguments[0])[i]
                                       : ((double *)(void *)arguments[1])[i];
        const double y = e->bits == 32 ? (double)((float *)(void *)results)[i]
                                       : ((double *)(void *)results)[i];
        const long double want = exact(x);
        int exponent;
        frexpl(want, &exponent);
        const double error = (double)(fabsl(y - want) / ldexpl(1, exponent - (e->bits == 32 ? 24 : 53)));
        largest = error > largest ? error : largest;
    }
    return largest;
}

/* ---- times ---- */

/* Whether the source k is a better yardstick than the one there is: of the accurate ones the faster, before those that are not. */
static int is_better(const bench_elementary *e, int k)
{
    if (e->limit < 0 || k == BENCH_OWN) {
        return e->limit < 0;
    }
    const int good = e->ulp[k] <= accurate, best_is_good = e->ulp[e->limit] <= accurate;
    return good != best_is_good ? good : e->ns[k] < e->ns[e->limit];
}

static void measure(bench_elementary *e, const char *name, const char *isa, double seconds, int turns)
{
    candidate candidates[BENCH_SOURCES];
    bench_action actions[BENCH_SOURCES];
    int sources[BENCH_SOURCES], count = 0;
    fill(e->bits);
    for (int source = 0; source < BENCH_SOURCES; source++) {
        candidate *c = &candidates[count];
        *c = (candidate){.passes = bench_passes_for(isa, e->bits), .bits = e->bits, .count = BENCH_HOT};
        if (find(c, name, e->bits, source, e->symbol[source])) {
            e->ulp[source] = largest_error(e, c);
            actions[count] = (bench_action){.run = run_candidate, .argument = c};
            sources[count++] = source;
        }
    }
    bench_measure(actions, count, seconds, turns);
    e->limit = -1;
    for (int k = 0; k < count; k++) { /* our own is the last of them */
        e->ns[sources[k]] = actions[k].smallest * 1e9 / BENCH_HOT;
        if (is_better(e, sources[k])) {
            e->limit = sources[k];
            e->passes = candidates[k].passes;
            e->function = candidates[k].function;
            e->own = candidates[k].own;
        }
    }
}

bench_elementary *bench_elementary_of(const char *name, const char *isa, int bits, double seconds, int turns)
{
    static bench_elementary kept[MOST_KEPT];
    int k = 0;
    while (k < MOST_KEPT && kept[k].bits != 0 && (kept[k].bits != bits || strcmp(kept[k].name, name) != 0)) {
        k++;
    }
    if (k == MOST_KEPT) {
        return NULL;
    }
    if (kept[k].bits == 0) {
        snprintf(kept[k].name, sizeof kept[k].name, "%s", name);
        kept[k].bits = bits;
        measure(&kept[k], name, isa, seconds, turns);
    }
    return kept[k].limit >= 0 ? &kept[k] : NULL;
}

bench_action bench_elementary_action(bench_elementary *elementary)
{
    return (bench_action){.run = run_limit, .argument = elementary};
}
