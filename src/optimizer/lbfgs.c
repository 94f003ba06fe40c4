/*
 * L-BFGS: the direction −H∇f, where H is the inverse Hessian that the last m pairs (s, y) build from γI.
 *
 *     s = x⁺ − x,  y = ∇f⁺ − ∇f,  ρ = 1/sᵀy,  γ = sᵀy/yᵀy of the newest pair
 *
 * Nocedal, Math. Comp. 35 (1980) 773–782, the two-loop recursion; Liu & Nocedal, Math. Prog. 45 (1989)
 * 503–528.
 *
 * The recursion is run on numbers instead of vectors: all it needs of s and y are their products with each other and
 * with ∇f, and its result is a sum of these vectors. The products with each other are differences of those with ∇f⁺
 * and ∇f (Byrd, Nocedal & Schnabel, Math. Prog. 63 (1994) 129–156, §3.2). So an iteration goes through the memory
 * twice, not 4m times: once for the products, where the new pair is made on the way, and once for the direction, where
 * the trial is moved by a step of 1 on the way.
 *
 * Memory: the old iterate turns into its own pair (s, y) in place, and the trial point lives where the oldest
 * pair was, whose turn is over as the direction is made: 2m + 5 vectors, and about 2m(m + 1) numbers for the products. Pairs
 * are in a ring, and the numbers of a pair stay in their place as long as it is kept.
 *
 * With a preconditioner M, H begins with γM⁻¹ instead, γ = sᵀy/yᵀM⁻¹y (Jiang, Byrd, Eskow & Schnabel, Univ. of Colorado, tech. rep.
 * CU-CS-977-04, 2004): with M⁻¹∇f of every iterate at hand, M⁻¹y is a difference too, and takes the place of y in all products and sums.
 * That is why M has to stay the same during a run. It takes two vectors more.
 */
#include <math.h>
#include <stddef.h>

#include "core/sum.h"
#include "optimizer/descent.h"
#include "optimizer/limited_memory.h"

enum { MEMORY_OPTION = LOSSI_SEARCH_OPTIONS, PRECONDITIONER_OPTION };
enum { DIRECTION, PRECONDITIONED }; /* vectors: d, then M⁻¹∇f of this iterate and the one before, in turn */
enum { LARGEST_MEMORY = 100 };
enum { PAIRS = LOSSI_MANY / 2 }; /* of a pass */
enum { STARTING, PRECONDITIONING, SEARCHING };

typedef struct lbfgs {
    lossi_descent descent;
    double scale;                 /* γ, 0 while there is none */
    int32_t kept[LARGEST_MEMORY]; /* pairs (s, y), a ring from `oldest` on */
    int32_t unused[LARGEST_MEMORY];
    int32_t memory, oldest, kept_count, unused_count, phase;
    int32_t preconditioned, newest; /* which of the two vectors is of this iterate */
    int32_t refused, before; /* M is no help there, and was none at the iterate before: that vector has ∇f */
    int32_t moved;           /* there is an iterate before */
} lbfgs;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"memory", LOSS_OPTION_INT, 0, LARGEST_MEMORY, 0, NULL, NULL,
     "how many pairs (s, y) are remembered; 0: as many as there are variables, but 20 to 60, up to 1000; "
     "20 up to 10000; else 10"},
    {"preconditioner", LOSS_OPTION_STRING, 0, 0, 0, "none", "none|user",
     "user: LOSS_REQUEST_PRECONDITION is asked at every iterate, for a symmetric positive definite M that "
     "stays the same"},
};

/*
 * Twenty pairs need 5 % fewer evaluations than ten (CUTE and the classics). Sixty need another 10 % fewer on those of CUTE with 50 to
 * 1000 variables, and 40 % where the conditioning is bad, as of a softmax regression on digits: so few variables are cheap to go
 * through. They cost what is cheap as long as all of them stay in a cache, and twice the memory, which matters where they do not.
 */
enum { VERY_FEW_VARIABLES = 1000, FEW_VARIABLES = 10000, MOST_PAIRS = 60, MANY_PAIRS = 20, FEW_PAIRS = 10 };

static int64_t choose_memory(const loss_optimizer *optimizer)
{
    const int64_t memory = lossi_own_int(optimizer, MEMORY_OPTION), variables = optimizer->dimension;
    if (memory > 0) {
        return memory;
    }
    if (variables > FEW_VARIABLES) {
        return FEW_PAIRS;
    }
    if (variables > VERY_FEW_VARIABLES || variables <= MANY_PAIRS) {
        return MANY_PAIRS;
    }
    return variables < MOST_PAIRS ? variables : MOST_PAIRS;
}

/* Numbers of a row of the products. */
static int64_t row_of(int64_t memory)
{
    return (memory + LOSSI_LANES / 2 - 1) / (LOSSI_LANES / 2) * (LOSSI_LANES / 2);
}

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int64_t memory = choose_memory(optimizer);
    layout->pairs = (int32_t)memory + 2;
    layout->vectors = lossi_own_int(optimizer, PRECONDITIONER_OPTION) ? PRECONDITIONED + 2 : PRECONDITIONED;
    layout->doubles = 2 * row_of(memory) * (memory + 1);
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    state->phase = STARTING;
    state->memory = optimizer->pairs - 2;
    state->preconditioned = (int32_t)lossi_own_int(optimizer, PRECONDITIONER_OPTION);
    for (int32_t pair = optimizer->pairs - 1; pair >= 3; pair--) {
        state->unused[state->unused_count++] = pair;
    }
    lossi_request_gradient(optimizer, -1);
}

/* ---- the memory ---- */

/*
 * Products by place in the ring: of s and of y with ∇f, and the symmetric matrices of sᵢᵀyⱼ, i the older one, and of yᵢᵀyⱼ.
 * The diagonal of the first holds ρ instead. What belongs to places without a pair is anything.
 */
typedef struct products {
    double *with_s, *with_y, *sy, *yy;
    int64_t row;
} products;

static products find_products(const loss_optimizer *optimizer)
{
    int64_t memory = ((const lbfgs *)optimizer->state)->memory, row = row_of(memory);
    double *numbers = optimizer->doubles;
    return (products){numbers, numbers + row, numbers + 2 * row, numbers + row * (2 + memory), row};
}

/* Where the pair of an age is, 0 the oldest; where the next one goes, for the age kept_count. */
static int32_t place(const lbfgs *state, int32_t age)
{
    const int32_t at = state->oldest + age;
    return at < state->memory ? at : at - state->memory;
}

static void forget(lbfgs *state)
{
    while (state->kept_count > 0) {
        state->unused[state->unused_count++] = state->kept[place(state, --state->kept_count)];
    }
}

/* Gives up the oldest pair of a full memory. */
static int32_t drop(lbfgs *state)
{
    const int32_t oldest = state->kept[state->oldest];
    state->oldest = place(state, 1);
    state->kept_count--;
    return oldest;
}

/* The pair of the next trial: when the last one was kept an unused one, or the oldest. */
static int32_t next_trial(const loss_optimizer *optimizer, const lbfgs *state)
{
    if (optimizer->machine.trial >= 0) {
        return optimizer->machine.trial;
    }
    return state->unused_count > 0 ? state->unused[state->unused_count - 1] : state->kept[state->oldest];
}

static void find_trial(loss_optimizer *optimizer, lbfgs *state)
{
    lossi_machine *m = &optimizer->machine;
    if (m->trial < 0) {
        m->trial = state->unused_count > 0 ? state->unused[--state->unused_count] : drop(state);
    }
}

/* The vectors of `count` pairs from the age `from` on. */
static void gather(const loss_optimizer *optimizer, const lbfgs *state, int32_t from, int32_t count,
                   lossi_many *many)
{
    for (int32_t i = 0; i < count; i++) {
        const char *s = lossi_vector(optimizer, lossi_pair_x(state->kept[place(state, from + i)]));
        many->vector[2 * i] = s;
        many->vector[2 * i + 1] = s + optimizer->stride; /* y, the other of the pair */
    }
    many->count = 2 * count;
}

static int32_t of_pass(const lbfgs *state, int32_t from)
{
    return state->kept_count - from < PAIRS ? state->kept_count - from : PAIRS;
}

/* Products with the new gradient, two a pair: less those with the old one they are the products with the new y. */
static void take_in(const lbfgs *state, const products *known, int32_t from, int32_t count,
                    const double *found)
{
    const int64_t fresh = place(state, state->kept_count), row = known->row;
    for (int32_t i = 0; i < count; i++) {
        const int64_t at = place(state, from + i);
        const double with_s = found[2 * i], with_y = found[2 * i + 1];
        known->sy[fresh * row + at] = known->sy[at * row + fresh] = with_s - known->with_s[at];
        known->yy[fresh * row + at] = known->yy[at * row + fresh] = with_y - known->with_y[at];
        known->with_s[at] = with_s;
        known->with_y[at] = with_y;
    }
}

/* The old iterate becomes (s, y) in `pair`: what the kernel finds first goes to `made`, all else to the products. */
static void measure(const loss_optimizer *optimizer, const lbfgs *state, const products *known, int32_t old,
                    int32_t pair, double *made)
{
    const lossi_machine *m = &optimizer->machine;
    double others[LOSSI_MANY];
    lossi_many many; /* clearing it would take as long as a short pass */
    many.a = lossi_vector(optimizer, lossi_pair_gradient(m->at));
    many.b = lossi_vector(optimizer, lossi_pair_x(m->at));
    many.c = lossi_vector(optimizer, lossi_pair_x(old));
    many.d = lossi_vector(optimizer, lossi_pair_gradient(old));
    many.out[0] = lossi_vector(optimizer, lossi_pair_x(pair));
    many.out[1] = lossi_vector(optimizer, lossi_pair_gradient(pair));
    many.backwards = 0;
    int32_t from = 0, count = of_pass(state, 0);
    gather(optimizer, state, 0, count, &many);
    lossi_run_many(optimizer, optimizer->memory_kernels->learn, &many, LOSSI_PAIR_SUMS + many.count, made);
    take_in(state, known, from, count, made + LOSSI_PAIR_SUMS);
    while ((from += count) < state->kept_count) {
        count = of_pass(state, from);
        gather(optimizer, state, from, count, &many);
        lossi_run_many(optimizer, optimizer->memory_kernels->products, &many, many.count, others);
        take_in(state, known, from, count, others);
    }
}

/* M⁻¹∇f of the iterate, or, with before = 1, of the one before it. */
static int32_t preconditioned(const loss_optimizer *optimizer, int32_t before)
{
    const lbfgs *state = optimizer->state;
    return lossi_own_vector(optimizer, PRECONDITIONED + (before ? 1 - state->newest : state->newest));
}

/* M⁻¹y takes the place of y in a pair, and in what was found of it: yᵀy and yᵀ∇f. */
static void precondition_change(const loss_optimizer *optimizer, int32_t pair, double *made)
{
    const int32_t y = lossi_pair_gradient(pair), change = preconditioned(optimizer, 1);
    made[1] = lossi_run(optimizer, optimizer->kernels->recur,
                        &(lossi_operands){.in = {preconditioned(optimizer, 0), change, y},
                                          .out = {change},
                                          .scalar = {-1.0, 1.0}})
                  .sum[0];
    made[4] = lossi_dot(optimizer, change, lossi_pair_gradient(optimizer->machine.at));
    lossi_copy(optimizer, y, change);
}

/* Takes the step into the memory, unless its curvature is lost in rounding: the new pair, and all products. */
static void learn(loss_optimizer *optimizer, lbfgs *state)
{
    double made[LOSSI_MANY_SUMS];
    const products known = find_products(optimizer);
    int32_t old = optimizer->machine.trial, pair = lossi_memory_place(optimizer);
    measure(optimizer, state, &known, old, pair, made);
    int32_t counts = lossi_memory_counts(optimizer, made[0], made[1], made[2]);
    if (counts && state->preconditioned) {
        precondition_change(optimizer, pair, made);
        counts = made[1] > 0.0 && isfinite(made[1]) && isfinite(made[0] / made[1]);
    }
    if (counts) {
        const int64_t fresh = place(state, state->kept_count++);
        optimizer->machine.trial = -1;
        state->scale = made[0] / made[1];
        state->kept[fresh] = pair;
        known.sy[fresh * known.row + fresh] = 1.0 / made[0];
        known.yy[fresh * known.row + fresh] = made[1];
        known.with_s[fresh] = made[3];
        known.with_y[fresh] = made[4];
    }
}

/* ---- the direction ---- */

/* −H∇f = −γ∇f + Σ weight[2i] sᵢ + weight[2i + 1] yᵢ, i an age. 0: the numbers overflow. */
static int32_t recur(const loss_optimizer *optimizer, const lbfgs *state, double *weight)
{
    const products known = find_products(optimizer);
    const lossi_recursion recursion = {.with_s = known.with_s,
                                       .with_y = known.with_y,
                                       .sy = known.sy,
                                       .yy = known.yy,
                                       .weight = weight,
                                       .scale = state->scale,
                                       .row = known.row,
                                       .count = state->kept_count,
                                       .places = state->memory,
                                       .oldest = state->oldest};
    return optimizer->memory_kernels->recur(&recursion);
}

/* d = −H∇f, and the trial a step of 1 along it; gives dᵀ∇f, NaN when the numbers overflow. */
static double turn(loss_optimizer *optimizer, lbfgs *state)
{
    double weight[2 * LARGEST_MEMORY], slope = 0.0;
    int32_t at = optimizer->machine.at, count = of_pass(state, 0);
    const int32_t from_vector = state->preconditioned ? preconditioned(optimizer, 0)
                                                      : lossi_pair_gradient(at);
    if (!recur(optimizer, state, weight)) {
        return NAN;
    }
    lossi_many many; /* not cleared, as above */
    many.a = lossi_vector(optimizer, from_vector);
    many.b = lossi_vector(optimizer, lossi_pair_gradient(at));
    many.c = lossi_vector(optimizer, lossi_pair_x(at));
    many.out[0] = lossi_vector(optimizer, lossi_own_vector(optimizer, DIRECTION));
    many.scalar = -state->scale;
    many.step = 1.0;
    many.backwards = 1;
    for (int32_t from = 0; from < state->kept_count; from += count, count = of_pass(state, from)) {
        gather(optimizer, state, from, count, &many);
        many.weight = weight + 2 * from;
        int32_t last = from + count == state->kept_count;
        many.out[1] = last ? lossi_vector(optimizer, lossi_pair_x(next_trial(optimizer, state))) : NULL;
        lossi_run_many(optimizer, optimizer->memory_kernels->weigh, &many, 1, &slope);
        many.a = many.out[0]; /* the next turn adds to it */
        many.scalar = 1.0;
    }
    return slope;
}

static void search(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    if (state->kept_count > 0) {
        double slope = turn(optimizer, state);
        if (slope < 0.0 && isfinite(slope)) {
            find_trial(optimizer, state);
            lossi_descent_search_moved(optimizer, &state->descent, slope, 1.0);
            return;
        }
        forget(state); /* rounding has spoilt the memory */
        optimizer->machine.restarts++;
    }
    double slope = lossi_descent_steepest(optimizer, lossi_own_vector(optimizer, DIRECTION));
    double first = state->scale > 0.0 ? state->scale : lossi_descent_scaled_step(optimizer, slope);
    find_trial(optimizer, state);
    lossi_descent_search(optimizer, &state->descent, slope, first);
}

/*
 * The first step with a preconditioner: along −M⁻¹∇f, where a step of 1 is its promise, unless it is out of all proportion to a first
 * step along −∇f: M may have any scale, as γ takes it away from the second step on.
 */
static const double ordinary = 0x1p100;

static void search_first(loss_optimizer *optimizer, lbfgs *state)
{
    const lossi_machine *m = &optimizer->machine;
    const int32_t z = preconditioned(optimizer, 0), g = lossi_pair_gradient(m->at),
                  d = lossi_own_vector(optimizer, DIRECTION);
    const double plain = lossi_descent_scaled_step(optimizer, -lossi_dot(optimizer, g, g)),
                 step = plain * (m->gradient_norm / m->told_norm);
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {z, z}, .out = {d}, .scalar = {-1.0, 0.0}});
    find_trial(optimizer, state);
    lossi_descent_search(optimizer, &state->descent, -m->told_slope,
                         step > ordinary || step < 1.0 / ordinary ? step : 1.0);
}

static void precondition(loss_optimizer *optimizer, lbfgs *state)
{
    state->phase = PRECONDITIONING;
    state->newest = 1 - state->newest;
    lossi_request_precondition(optimizer, lossi_pair_gradient(optimizer->machine.at),
                               preconditioned(optimizer, 0));
}

/*
 * M⁻¹∇f has been told; where it does not go down, ∇f takes its place. Between an iterate with M and one without there is nothing
 * to learn, and what was learned before is of no use.
 */
static void take_preconditioned(loss_optimizer *optimizer, lbfgs *state)
{
    const lossi_machine *m = &optimizer->machine;
    state->phase = SEARCHING;
    state->refused = !(m->told_slope > 0.0) || !isfinite(m->told_slope) || !isfinite(m->told_norm);
    if (state->refused) {
        lossi_copy(optimizer, preconditioned(optimizer, 0), lossi_pair_gradient(m->at));
    }
    if (!state->moved && !state->refused) {
        search_first(optimizer, state);
    } else {
        if (state->moved && state->refused == state->before) {
            learn(optimizer, state);
        } else {
            forget(state);
            state->scale = 0.0;
        }
        search(optimizer);
    }
    state->before = state->refused;
    state->moved = 1;
}

/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    if (state->preconditioned) {
        precondition(optimizer, state);
        return;
    }
    learn(optimizer, state);
    search(optimizer);
}

/* With an empty memory, along −∇f. */
static void restart(loss_optimizer *optimizer)
{
    forget(optimizer->state);
    search(optimizer);
}

static void advance(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    if (state->phase == STARTING) {
        if (!lossi_accept_start(optimizer)) {
            state->phase = SEARCHING;
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, DIRECTION));
            if (state->preconditioned) {
                precondition(optimizer, state);
            } else {
                search(optimizer);
            }
        }
    } else if (state->phase == PRECONDITIONING) {
        take_preconditioned(optimizer, state);
    } else {
        lossi_descent_advance(optimizer, &state->descent, proceed, restart);
    }
}

const lossi_optimizer_row lossi_optimizer_lbfgs = {
    .name = "lbfgs",
    .family = "quasi-Newton",
    .summary = "limited-memory BFGS; the first choice for smooth functions",
    .reference = "Liu & Nocedal, Mathematical Programming 45 (1989) 503–528",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .state_size = sizeof(lbfgs),
    .layout = layout,
    .start = start,
    .advance = advance,
};
