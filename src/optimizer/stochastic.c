/*
 * The course of a stochastic method: see stochastic.h. After the start, and after every `evaluate_every` epochs,
 *
 *     f, ∇f at the point or the mean  →  the held-out value, if wanted  →  tests, patience, plateau  →  batches …
 *
 * The mean of the points x₁, x₂, … after each step is kept as A += (x − A)/S with S = 1 + decay·S: xₖ of t points has the
 * weight decay^(t−k)/S. decay = 1 makes it their mean (Polyak & Juditsky, SIAM J. Control Optim. 30 (1992) 838–855), less a
 * moving mean whose weights are in proportion from the first point on, as those of Adam's moments are (Kingma & Ba, 2015,
 * §3). With 1 − decay in place of 1/S the first point would have the weight decay^(t−1), and be most of the mean for long.
 */
#include "optimizer/stochastic.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "loss/random.h"
#include "optimizer/composite.h"

enum { BATCHES, EVALUATING, HOLDING_OUT };

/* What a machine's vectors beyond the method's are for: the mean, and the moving point while the mean is evaluated. */
enum { MEAN, MOVING, AVERAGING_VECTORS };

/* Vectors beyond this many would overflow their index. */
#define MOST_VECTORS (INT32_MAX / 2)

/* ---- start ---- */

static int64_t sample_count(const loss_optimizer *optimizer)
{
    int64_t samples = lossi_own_int(optimizer, LOSSI_SAMPLES);
    return samples > 0 ? samples : optimizer->samples_hint;
}

loss_status lossi_stochastic_layout(loss_optimizer *optimizer, lossi_layout *layout)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    int64_t samples = sample_count(optimizer);
    if (samples < 1) {
        return lossi_fail(optimizer->context, LOSS_ERROR_STATE,
                          "%s draws batches and has to know the option 'samples' before it is started",
                          optimizer->owner);
    }
    int64_t vectors = method->vectors == NULL ? 0 : method->vectors(optimizer, samples);
    if (vectors < 0 || vectors > MOST_VECTORS) {
        return lossi_fail_memory(optimizer->context, "the workspace of an optimizer");
    }
    int32_t averaging = lossi_own_int(optimizer, LOSSI_AVERAGING) != LOSSI_AVERAGING_NONE;
    layout->vectors = (int32_t)vectors + (averaging ? AVERAGING_VECTORS : 0);
    layout->integers = samples;
    if (method->extra_integers != NULL) {
        layout->integers += method->extra_integers(optimizer, samples);
    }
    return LOSS_OK;
}

static void read_schedule(const loss_optimizer *optimizer, lossi_schedule *schedule)
{
    *schedule = (lossi_schedule){
        .kind = (int32_t)lossi_own_int(optimizer, LOSSI_SCHEDULE),
        .epochs = (double)lossi_own_int(optimizer, LOSSI_EPOCHS),
        .warmup = lossi_own_double(optimizer, LOSSI_WARMUP),
        .decay = lossi_own_double(optimizer, LOSSI_DECAY),
        .factor = lossi_own_double(optimizer, LOSSI_DECAY_FACTOR),
        .every = lossi_own_double(optimizer, LOSSI_DECAY_EVERY),
        .final = lossi_own_double(optimizer, LOSSI_FINAL_FACTOR),
        .peak = lossi_own_double(optimizer, LOSSI_CYCLE_PEAK),
        .start = lossi_own_double(optimizer, LOSSI_CYCLE_START),
        .end = lossi_own_double(optimizer, LOSSI_CYCLE_END),
        .plateau = 1.0,
    };
}

static void read_options(const loss_optimizer *optimizer, lossi_stochastic *s)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    s->samples = sample_count(optimizer);
    s->batch_size = lossi_own_int(optimizer, LOSSI_BATCH_SIZE);
    s->epochs = lossi_own_int(optimizer, LOSSI_EPOCHS);
    s->seed = (uint64_t)lossi_own_int(optimizer, LOSSI_SEED);
    s->evaluate_every = lossi_own_int(optimizer, LOSSI_EVALUATE_EVERY);
    s->held_out = lossi_own_int(optimizer, LOSSI_HELD_OUT) != 0;
    s->patience = lossi_own_int(optimizer, LOSSI_PATIENCE);
    s->plateau_patience = lossi_own_int(optimizer, LOSSI_PLATEAU_PATIENCE);
    s->improvement = lossi_own_double(optimizer, LOSSI_IMPROVEMENT);
    s->clip_value = lossi_own_double(optimizer, LOSSI_CLIP_VALUE);
    s->clip_norm = lossi_own_double(optimizer, LOSSI_CLIP_NORM);
    s->averaging = (int32_t)lossi_own_int(optimizer, LOSSI_AVERAGING);
    s->averaging_decay = s->averaging == LOSSI_AVERAGING_POLYAK
                             ? 1.0
                             : lossi_own_double(optimizer, LOSSI_AVERAGING_DECAY);
    s->averaging_start = lossi_own_int(optimizer, LOSSI_AVERAGING_START);
    s->learning_rate = lossi_own_double(optimizer, LOSSI_LEARNING_RATE);
    s->weight_decay = lossi_own_double(optimizer, LOSSI_WEIGHT_DECAY);
    s->own_vectors = method->vectors == NULL ? 0 : (int32_t)method->vectors(optimizer, s->samples);
    read_schedule(optimizer, &s->schedule);
}

void lossi_stochastic_start(loss_optimizer *optimizer)
{
    lossi_stochastic *s = optimizer->state;
    read_options(optimizer, s);
    s->judged = INFINITY;
    s->least_held_out = INFINITY;
    s->share = 1.0;
    s->velocity = -1;
    if (s->own_vectors > 0) {
        memset(lossi_stochastic_vector(optimizer, 0, 0), 0, (size_t)(s->own_vectors * optimizer->stride));
    }
    if (optimizer->row->stochastic->begin != NULL) {
        optimizer->row->stochastic->begin(optimizer);
    }
    s->phase = EVALUATING;
    lossi_request_gradient(optimizer, -1);
}

void *lossi_stochastic_vector(const loss_optimizer *optimizer, int64_t k, int64_t offset)
{
    return lossi_offset_in(optimizer, lossi_vector(optimizer, lossi_own_vector(optimizer, (int32_t)k)),
                           offset);
}

/* One of the two vectors beyond the method's. */
static int32_t beyond(const loss_optimizer *optimizer, const lossi_stochastic *s, int32_t which)
{
    return lossi_own_vector(optimizer, s->own_vectors + which);
}

/* ---- batches ---- */

void lossi_stochastic_ask(loss_optimizer *optimizer, int32_t pair)
{
    const lossi_stochastic *s = optimizer->state;
    int64_t left = s->samples - s->done;
    lossi_request_batch(optimizer, pair, s->done, left < s->batch_size ? left : s->batch_size);
}

static void ask(loss_optimizer *optimizer)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    if (method->ask != NULL) {
        method->ask(optimizer);
    } else {
        lossi_stochastic_ask(optimizer, optimizer->machine.trial);
    }
}

void lossi_stochastic_epoch(loss_optimizer *optimizer)
{
    const lossi_stochastic *s = optimizer->state;
    loss_random_permutation(s->seed, (uint64_t)optimizer->machine.epoch, s->samples, optimizer->integers);
    ask(optimizer);
}

static void begin_epoch(loss_optimizer *optimizer, lossi_stochastic *s)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    s->done = 0;
    s->phase = BATCHES;
    if (method->epoch != NULL) {
        method->epoch(optimizer);
    } else {
        lossi_stochastic_epoch(optimizer);
    }
}

/* From an iterate: the moving point starts there, or where it stood when the mean took its place. */
static void leave_iterate(loss_optimizer *optimizer, lossi_stochastic *s)
{
    const lossi_machine *m = &optimizer->machine;
    lossi_clear_trial(optimizer);
    lossi_copy(optimizer, lossi_pair_x(m->trial),
               s->displaced ? beyond(optimizer, s, MOVING) : lossi_pair_x(m->at));
    begin_epoch(optimizer, s);
}

/* ---- a step ---- */

/*
 * The factor that takes the clamped gradient to the norm it may have. Where squares leave the range of a double the
 * norm is taken once more of numbers near 1.
 */
static double clipping_scale(const loss_optimizer *optimizer, const lossi_stochastic *s)
{
    lossi_pass pass = {.in = {optimizer->told}, .scalar = {s->clip_value, 1.0}};
    if (isinf(s->clip_norm)) {
        return 1.0;
    }
    lossi_pass_result result = lossi_run_pass(optimizer, optimizer->kernels->clamped, &pass);
    if (isinf(result.sum[0]) && isfinite(result.maximum[0])) {
        int exponent;
        frexp(result.maximum[0], &exponent);
        pass.scalar[1] = ldexp(1.0, -exponent);
        result = lossi_run_pass(optimizer, optimizer->kernels->clamped, &pass);
    }
    double norm = sqrt(result.sum[0]) / pass.scalar[1];
    return norm > s->clip_norm ? s->clip_norm / norm : 1.0;
}

/* Kinds whose proximal map is one of the whole vector: it follows the step. Of the others every element is by itself. */
enum { TOGETHER = LOSSI_ROUGH_SET | LOSSI_ROUGH_NORM };

static const void *part(const loss_optimizer *optimizer, int32_t vector, int64_t offset)
{
    return vector < 0 ? NULL : lossi_offset_in(optimizer, lossi_vector(optimizer, vector), offset);
}

static void penalise(const loss_optimizer *optimizer, const lossi_span *span, lossi_step *step)
{
    if ((optimizer->machine.rough & TOGETHER) == 0) {
        step->weights = part(optimizer, lossi_l1_weights(optimizer), span->offset);
        step->lower = part(optimizer, lossi_lower_bounds(optimizer), span->offset);
        step->upper = part(optimizer, lossi_upper_bounds(optimizer), span->offset);
    }
}

static lossi_step step_of(const loss_optimizer *optimizer, const lossi_stochastic *s, const lossi_span *span)
{
    lossi_step step = {
        .gradient = lossi_offset_in(optimizer, optimizer->told, span->offset),
        .x = lossi_offset_in(optimizer, lossi_vector(optimizer, lossi_pair_x(optimizer->machine.trial)),
                             span->offset),
        .clip = s->clip_value,
        .scale = s->scale,
        .rate = s->rate * span->rate_scale,
        .keep = 1.0,
    };
    for (int32_t k = 0; k < s->own_vectors && k < LOSSI_STEP_VECTORS; k++) {
        step.state[k] = lossi_stochastic_vector(optimizer, k, span->offset);
    }
    if (s->decoupled) {
        step.keep = 1.0 - step.rate * span->weight_decay;
    } else {
        step.l2 = span->weight_decay;
    }
    penalise(optimizer, span, &step);
    return step;
}

/* The proximal map of the whole vector after a step, of whose velocity it has its share. */
static void follow(loss_optimizer *optimizer, const lossi_stochastic *s)
{
    int32_t x = lossi_pair_x(optimizer->machine.trial), before = lossi_composite_scratch(optimizer);
    if ((optimizer->machine.rough & TOGETHER) == 0) {
        return;
    }
    lossi_copy(optimizer, before, x);
    lossi_prox(optimizer, x, s->rate * s->share);
    if (s->velocity >= 0) {
        lossi_step step = {.gradient = lossi_vector(optimizer, before),
                           .x = lossi_vector(optimizer, x),
                           .state = {lossi_stochastic_vector(optimizer, s->velocity, 0)},
                           .scalar = {lossi_inverse_rate(optimizer, s->rate)}};
        lossi_run_step(optimizer, lossi_steps(optimizer)->yield, &step, optimizer->dimension);
    }
}

double lossi_inverse_rate(const loss_optimizer *optimizer, double rate)
{
    return 1.0 / rate <= (optimizer->dtype == LOSS_FLOAT64 ? DBL_MAX : FLT_MAX) ? 1.0 / rate : 0.0;
}

loss_status lossi_stochastic_check_proximal(const loss_optimizer *optimizer, int32_t rough)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    for (int64_t i = 0; (rough & TOGETHER) != 0 && i < optimizer->segments.count; i++) {
        const lossi_segment *segment = &optimizer->segments.all[i];
        if (segment->options[LOSSI_SEGMENT_LEARNING_RATE_SCALE] != 1.0) {
            return lossi_fail(optimizer->context, LOSS_ERROR_SUPPORT,
                              "%s takes penalties that are not of each parameter by itself with one learning "
                              "rate for all: the segment '%s' has learning_rate_scale %g",
                              optimizer->owner, segment->name,
                              segment->options[LOSSI_SEGMENT_LEARNING_RATE_SCALE]);
        }
    }
    return rough == 0 || method->check_proximal == NULL ? LOSS_OK : method->check_proximal(optimizer);
}

static void average(loss_optimizer *optimizer, lossi_stochastic *s)
{
    int32_t x = lossi_pair_x(optimizer->machine.trial), mean = beyond(optimizer, s, MEAN);
    if (s->averaging == LOSSI_AVERAGING_NONE || optimizer->machine.epoch < s->averaging_start) {
        return;
    }
    s->averaging_sum = 1.0 + s->averaging_decay * s->averaging_sum;
    if (s->averaged++ == 0) {
        lossi_copy(optimizer, mean, x);
        return;
    }
    lossi_step step = {.x = lossi_vector(optimizer, x), .state = {lossi_vector(optimizer, mean)}};
    step.scalar[0] = 1.0 / s->averaging_sum;
    lossi_run_step(optimizer, lossi_steps(optimizer)->average, &step, optimizer->dimension);
}

/* Gives 1 when a derivative was not finite. */
static int32_t take_step(loss_optimizer *optimizer, lossi_stochastic *s)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    lossi_machine *m = &optimizer->machine;
    double before = (double)m->epoch, all = (double)s->samples;
    int32_t bad = 0;
    int64_t next = 0;
    lossi_span span = {0};
    s->factor = lossi_schedule_factor(&s->schedule, before + (double)s->done / all,
                                      before + (double)(s->done + m->indices_count) / all);
    s->rate = s->learning_rate * s->factor;
    m->step = s->rate;
    s->scale = clipping_scale(optimizer, s);
    if (method->prepare != NULL) {
        method->prepare(optimizer);
    }
    while (lossi_next_span(optimizer, s->weight_decay, span.offset + span.count, &next, &span)) {
        lossi_step step = step_of(optimizer, s, &span);
        bad |= method->step(optimizer, &span, &step);
    }
    if (!bad) {
        follow(optimizer, s);
    }
    s->steps++;
    average(optimizer, s);
    return bad;
}

/* ---- evaluations ---- */

static void fail(loss_optimizer *optimizer)
{
    lossi_finish(optimizer, LOSS_ERROR_NONFINITE, LOSSI_TEST_NONE, NAN, NAN);
}

/* Why a step was bad, when it is not what fail() says: the derivatives told are finite. */
static void explain(loss_optimizer *optimizer, int32_t received)
{
    lossi_pass pass = {.in = {optimizer->told}, .scalar = {INFINITY, 1.0}};
    if (received == 0 && isfinite(lossi_run_pass(optimizer, optimizer->kernels->clamped, &pass).maximum[0])) {
        lossi_fail(
            optimizer->context, LOSS_ERROR_NONFINITE,
            "%s works with squares of derivatives, and they are too large for its element type: multiply "
            "the objective by a constant, or set 'clip_value'",
            optimizer->owner);
    }
}

static void evaluate(loss_optimizer *optimizer, lossi_stochastic *s)
{
    lossi_machine *m = &optimizer->machine;
    s->displaced = s->averaged > 0;
    if (s->displaced) {
        lossi_copy(optimizer, beyond(optimizer, s, MOVING), lossi_pair_x(m->trial));
        lossi_copy(optimizer, lossi_pair_x(m->trial), beyond(optimizer, s, MEAN));
        lossi_prox(optimizer, lossi_pair_x(m->trial), 0.0); /* rounding may have left the sets */
    }
    s->kept = m->best;
    s->kept_complete = m->complete;
    s->kept_value = m->best_value;
    s->kept_norm = m->best_norm;
    s->phase = EVALUATING;
    lossi_request_gradient(optimizer, -1);
}

static void after_batch(loss_optimizer *optimizer, lossi_stochastic *s)
{
    const lossi_stochastic_method *method = optimizer->row->stochastic;
    lossi_machine *m = &optimizer->machine;
    int32_t received = !isfinite(m->told_value)  ? -1
                       : method->receive == NULL ? 0
                                                 : method->receive(optimizer);
    if (received > 0) {
        return;
    }
    if (received < 0 || take_step(optimizer, s)) {
        fail(optimizer);
        explain(optimizer, received);
        return;
    }
    s->done += m->indices_count;
    if (s->done < s->samples) {
        ask(optimizer);
        return;
    }
    int64_t epoch = m->epoch + 1; /* it counts when f is known to be finite after it, or nobody asks */
    if (epoch == s->epochs || (s->evaluate_every > 0 && epoch % s->evaluate_every == 0)) {
        evaluate(optimizer, s);
    } else {
        m->epoch = epoch;
        begin_epoch(optimizer, s);
    }
}

/* Patience and the plateau see the value; 1 when patience has an end. */
static int32_t judge(loss_optimizer *optimizer, lossi_stochastic *s)
{
    double value = s->held_out ? optimizer->machine.held_out_value : optimizer->machine.value;
    if (isinf(s->judged) || value < s->judged - s->improvement * fabs(s->judged)) {
        s->judged = value;
        s->waited = 0;
        s->plateau_waited = 0;
        return 0;
    }
    if (++s->plateau_waited > s->plateau_patience) {
        lossi_schedule_fall(&s->schedule);
        s->plateau_waited = 0;
    }
    if (s->patience == 0 || ++s->waited < s->patience) {
        return 0;
    }
    lossi_finish(optimizer, LOSS_STOP_VALUE, LOSSI_TEST_OWN + LOSSI_PATIENCE, (double)s->waited,
                 (double)s->patience);
    return 1;
}

/* The evaluation is complete: its point becomes the iterate. */
static void settle(loss_optimizer *optimizer, lossi_stochastic *s)
{
    lossi_machine *m = &optimizer->machine;
    int32_t started = s->started;
    s->started = 1;
    m->epoch += started;
    if (started ? lossi_accept(optimizer) : lossi_accept_start(optimizer)) {
        return;
    }
    if (judge(optimizer, s)) {
        return;
    }
    if (started && m->epoch == s->epochs) {
        lossi_finish(optimizer, LOSS_STOP_ITERATIONS, LOSSI_TEST_OWN + LOSSI_EPOCHS, (double)m->epoch,
                     (double)s->epochs);
        return;
    }
    leave_iterate(optimizer, s);
}

static void after_evaluation(loss_optimizer *optimizer, lossi_stochastic *s)
{
    lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value) || !isfinite(m->told_norm)) {
        fail(optimizer);
        return;
    }
    if (!s->held_out) {
        settle(optimizer, s);
        return;
    }
    s->value = m->told_value; /* which point is best is for the held-out value to say */
    s->gradient_norm = m->told_norm;
    if (s->started) {
        m->best = s->kept;
        m->complete = s->kept_complete;
        m->best_value = s->kept_value;
        m->best_norm = s->kept_norm;
    }
    s->phase = HOLDING_OUT;
    lossi_request_held_out(optimizer);
}

static void after_held_out(loss_optimizer *optimizer, lossi_stochastic *s)
{
    lossi_machine *m = &optimizer->machine;
    if (!isfinite(m->told_value)) {
        fail(optimizer);
        return;
    }
    m->told_value = s->value;
    m->told_norm = s->gradient_norm;
    if (m->held_out_value < s->least_held_out) {
        s->least_held_out = m->held_out_value;
        m->complete = 1;
        m->best = m->trial;
        m->best_value = s->value;
        m->best_norm = s->gradient_norm;
    }
    settle(optimizer, s);
}

void lossi_stochastic_advance(loss_optimizer *optimizer)
{
    lossi_stochastic *s = optimizer->state;
    switch (s->phase) {
    case BATCHES:
        after_batch(optimizer, s);
        return;
    case EVALUATING:
        after_evaluation(optimizer, s);
        return;
    default:
        after_held_out(optimizer, s);
    }
}
