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
 * twice, not 4m times.
 *
 * Memory: the old iterate turns into its own pair (s, y) in place, and the trial point lives where the oldest
 * pair was, whose turn is over once the direction is known: 2m + 5 vectors, and 2m(m + 1) numbers for the products.
 */
#include <math.h>
#include <stddef.h>

#include "optimizer/descent.h"
#include "optimizer/limited_memory.h"

enum { MEMORY_OPTION = LOSSI_SEARCH_OPTIONS };
enum { LARGEST_MEMORY = 100 };
enum { STARTING, SEARCHING };

typedef struct lbfgs {
    lossi_descent descent;
    double scale;                 /* γ, 0 while there is none */
    int32_t kept[LARGEST_MEMORY]; /* pairs (s, y), a ring from `oldest` on */
    int32_t unused[LARGEST_MEMORY];
    int32_t memory, oldest, kept_count, unused_count, phase;
} lbfgs;

static const loss_option options[] = {
    LOSSI_SEARCH_OPTION_ROWS("hager_zhang"),
    {"memory", LOSS_OPTION_INT, 1, LARGEST_MEMORY, 10, NULL, NULL, "how many pairs (s, y) are remembered"},
};

static loss_status layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    int64_t memory = lossi_own_int(optimizer, MEMORY_OPTION);
    layout->pairs = (int32_t)memory + 2;
    layout->vectors = 1;
    layout->doubles = 2 * memory * (memory + 1);
    return lossi_line_search_check(optimizer);
}

static void start(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    state->phase = STARTING;
    state->memory = optimizer->pairs - 2;
    for (int32_t pair = optimizer->pairs - 1; pair >= 3; pair--) {
        state->unused[state->unused_count++] = pair;
    }
    lossi_request_gradient(optimizer, -1);
}

/* ---- the memory ---- */

/*
 * Products, by place in the ring: of s and of y with ∇f, and the matrices sᵀy and yᵀy whose row is the place of the newer
 * y, and whose column is that of the older s or y, or of its own. The diagonal of sᵀy holds ρ instead.
 */
typedef struct products {
    double *with_s, *with_y, *sy, *yy;
} products;

static products find_products(const loss_optimizer *optimizer)
{
    int64_t memory = ((const lbfgs *)optimizer->state)->memory;
    double *numbers = optimizer->doubles;
    return (products){numbers, numbers + memory, numbers + 2 * memory, numbers + memory * (2 + memory)};
}

/* Where the pair of an age is, 0 the oldest. */
static int32_t place(const lbfgs *state, int32_t age)
{
    int32_t at = state->oldest + age;
    return at < state->memory ? at : at - state->memory;
}

static int32_t newest(const lbfgs *state)
{
    return place(state, state->kept_count - 1);
}

static void forget(lbfgs *state)
{
    for (; state->kept_count > 0; state->kept_count--) {
        state->unused[state->unused_count++] = state->kept[newest(state)];
    }
}

/* A pair for the next trial when the last one was kept: an unused one, or the oldest. */
static void find_trial(loss_optimizer *optimizer, lbfgs *state)
{
    lossi_machine *m = &optimizer->machine;
    if (m->trial >= 0) {
        return;
    }
    if (state->unused_count > 0) {
        m->trial = state->unused[--state->unused_count];
        return;
    }
    m->trial = state->kept[state->oldest];
    state->oldest = place(state, 1);
    state->kept_count--;
}

/* The products of the last `count` pairs with the gradient, oldest first, in turns of as many as a pass takes. */
static void multiply(const loss_optimizer *optimizer, const lbfgs *state, double *with_s, double *with_y)
{
    lossi_many many; /* clearing it would take as long as a short pass */
    double sums[LOSSI_MANY];
    many.a = lossi_vector(optimizer, lossi_pair_gradient(optimizer->machine.at));
    for (int32_t from = 0; from < state->kept_count; from += LOSSI_MANY / 2) {
        int32_t count = state->kept_count - from < LOSSI_MANY / 2 ? state->kept_count - from : LOSSI_MANY / 2;
        for (int32_t i = 0; i < count; i++) {
            int32_t pair = state->kept[place(state, from + i)];
            many.vector[2 * i] = lossi_vector(optimizer, lossi_pair_x(pair));
            many.vector[2 * i + 1] = lossi_vector(optimizer, lossi_pair_gradient(pair));
        }
        many.count = 2 * count;
        lossi_run_many(optimizer, optimizer->kernels->products, &many, many.count, sums);
        for (int32_t i = 0; i < count; i++) {
            with_s[from + i] = sums[2 * i];
            with_y[from + i] = sums[2 * i + 1];
        }
    }
}

/*
 * The old iterate, in the trial pair, becomes the newest (s, y), unless its curvature is lost in rounding. 1: it is kept,
 * with ρ and yᵀy in their places.
 */
static int32_t keep(loss_optimizer *optimizer, lbfgs *state)
{
    double sy, yy;
    int32_t pair = lossi_memory_pair(optimizer, &sy, &yy);
    if (pair < 0) {
        return 0;
    }
    products known = find_products(optimizer);
    state->scale = sy / yy;
    state->kept_count++;
    int32_t at = newest(state);
    state->kept[at] = pair;
    known.sy[at * state->memory + at] = 1.0 / sy;
    known.yy[at * state->memory + at] = yy;
    return 1;
}

/* Takes the step into the memory: the new pair, and the products of all with the new gradient. */
static void learn(loss_optimizer *optimizer, lbfgs *state)
{
    double with_s[LARGEST_MEMORY], with_y[LARGEST_MEMORY];
    products known = find_products(optimizer);
    int32_t fresh = keep(optimizer, state), old = state->kept_count - fresh;
    multiply(optimizer, state, with_s, with_y);
    if (fresh) {
        double *sy = known.sy + newest(state) * state->memory, *yy = known.yy + newest(state) * state->memory;
        for (int32_t i = 0; i < old; i++) {
            int32_t at = place(state, i);
            sy[at] = with_s[i] - known.with_s[at];
            yy[at] = with_y[i] - known.with_y[at];
        }
    }
    for (int32_t i = 0; i < state->kept_count; i++) {
        known.with_s[place(state, i)] = with_s[i];
        known.with_y[place(state, i)] = with_y[i];
    }
}

/* ---- the direction ---- */

/* The recursion on numbers: H∇f = γ∇f + Σ of_s[i] sᵢ + of_y[i] yᵢ, i an age. */
static void recur(const loss_optimizer *optimizer, const lbfgs *state, double *of_s, double *of_y)
{
    products known = find_products(optimizer);
    double q_s[LARGEST_MEMORY], q_y[LARGEST_MEMORY], alpha[LARGEST_MEMORY]; /* sᵀq, yᵀq */
    int32_t at[LARGEST_MEMORY], count = state->kept_count;
    for (int32_t i = 0; i < count; i++) {
        at[i] = place(state, i);
        q_s[i] = known.with_s[at[i]];
        q_y[i] = known.with_y[at[i]];
    }
    for (int32_t i = count - 1; i >= 0; i--) {
        const double *sy = known.sy + at[i] * state->memory, *yy = known.yy + at[i] * state->memory;
        alpha[i] = q_s[i] * sy[at[i]];
        for (int32_t j = 0; j < i; j++) {
            q_s[j] -= alpha[i] * sy[at[j]];
            q_y[j] -= alpha[i] * yy[at[j]];
        }
        for (int32_t j = i; j < count; j++) {
            q_y[j] -= alpha[i] * known.yy[at[j] * state->memory + at[i]];
        }
    }
    for (int32_t i = 0; i < count; i++) {
        const double *sy = known.sy + at[i] * state->memory;
        double product = state->scale * q_y[i];
        for (int32_t j = 0; j < i; j++) {
            product += of_s[j] * sy[at[j]];
        }
        of_s[i] = alpha[i] - product * sy[at[i]];
        of_y[i] = -state->scale * alpha[i];
    }
}

/* d = −H∇f; gives dᵀ∇f. */
static double turn(const loss_optimizer *optimizer, const lbfgs *state)
{
    double of_s[LARGEST_MEMORY], of_y[LARGEST_MEMORY], slope = 0.0;
    const void *gradient = lossi_vector(optimizer, lossi_pair_gradient(optimizer->machine.at));
    void *d = lossi_vector(optimizer, lossi_own_vector(optimizer, 0));
    lossi_many many; /* not cleared, as above */
    many.a = many.b = gradient;
    many.out = d;
    many.scalar = -state->scale;
    many.count = 0;
    recur(optimizer, state, of_s, of_y);
    for (int32_t i = 0; i < state->kept_count; i++) {
        int32_t pair = state->kept[place(state, i)];
        many.vector[many.count] = lossi_vector(optimizer, lossi_pair_x(pair));
        many.weight[many.count++] = -of_s[i];
        many.vector[many.count] = lossi_vector(optimizer, lossi_pair_gradient(pair));
        many.weight[many.count++] = -of_y[i];
        if (many.count == LOSSI_MANY || i + 1 == state->kept_count) {
            lossi_run_many(optimizer, optimizer->kernels->weigh, &many, 1, &slope);
            many.a = d; /* the next turn adds to it */
            many.scalar = 1.0;
            many.count = 0;
        }
    }
    return slope;
}

static void search(loss_optimizer *optimizer)
{
    lbfgs *state = optimizer->state;
    double slope = 0.0, first = 1.0;
    if (state->kept_count > 0) {
        slope = turn(optimizer, state);
        if (!(slope < 0.0) || !isfinite(slope)) { /* rounding has spoilt the memory */
            forget(state);
            optimizer->machine.restarts++;
        }
    }
    if (state->kept_count == 0) {
        slope = lossi_descent_steepest(optimizer, lossi_own_vector(optimizer, 0));
        first = state->scale > 0.0 ? state->scale : lossi_descent_cautious_step(optimizer, slope);
    }
    find_trial(optimizer, state);
    lossi_descent_search(optimizer, &state->descent, slope, first);
}
/* From a new iterate. */
static void proceed(loss_optimizer *optimizer)
{
    learn(optimizer, optimizer->state);
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
            lossi_descent_start(optimizer, &state->descent, lossi_own_vector(optimizer, 0));
            search(optimizer);
        }
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
