/*
 * Connectionist temporal classification: minus the log-probability of a sequence of labels, summed over every way of spreading
 * it over the frames. Rows are frames of logits, columns classes; repeated classes collapse and blanks vanish.
 *
 *     loss = −log Σ_π Π_t p_t(π_t),   p_t = softmax of row t,   over the paths π that collapse to the labels
 *
 * With post_tk the probability of class k in frame t given the labels,
 *
 *     gradient   p − post
 *     curvature  p (1 − p) − post (1 − post), for in one frame exactly one class is emitted
 *     product    p (v − p·v) − (E[1{π_t = k} V] − post E[V]),   V = Σ_t v_t(π_t)
 *
 * by one pass forwards and one backwards over the 2L + 1 states of the labels with blanks between. The expectations of V go along
 * as means, so that a product costs no more than a gradient. Probabilities are numbers with an exponent of their own
 * (loss/scaled.h), not logarithms. Near 0 the loss is −log1p(−lost) with lost the probability of the paths that fail, summed where
 * they leave: 1 − P without a subtraction. Gauss–Newton and the majorizer, ½ I, are those of the softmax: the rest is
 * concave. A sequence that cannot be spread over its frames has loss ∞ and no gradient; labels may be none.
 *
 * By default all that is divided by the number of labels, at least 1, so that the cost is PyTorch's mean.
 *
 * Derivatives are within 16 ulp of their terms, p and post say, not of the difference: a posterior is a sum of products over all
 * frames, in double, and labels may say so little of a frame that next to nothing is left.
 *
 * Graves, Fernández, Gomez & Schmidhuber, Connectionist temporal classification (2006), eqs. (3)–(16).
 */
#include "loss/ctc_lattice.h"

enum { BLANK, ZERO_INFINITY, NORMALIZATION };

/* ---- outputs ---- */

/* The rows of frame t that are wanted; NULL the others. */
typedef struct outputs {
    real *gradient, *curvature, *product;
    double scale;
    int32_t kind;
} outputs;

/* What stands for one class: p and post, 1 − p, 1 − post where post is large, the direction from its mean, post's derivative. */
typedef struct class_terms {
    f64v p, post, rest, along, turn;
} class_terms;

LOSSI_INLINE void class_second(int32_t kind, const class_terms *x, f64v gradient, f64v *curvature,
                               f64v *product)
{
    const f64v half = f64_set1(0.5);
    if (kind == LOSSI_MAJORIZER) {
        *curvature = half;
        *product = half * x->along; /* of ½ I */
    } else if (kind == LOSSI_GAUSS_NEWTON) {
        *curvature = x->p * x->rest;
        *product = x->p * x->along;
    } else {
        *curvature = gradient * (x->rest - x->post);
        *product = x->p * x->along - x->turn;
    }
}

static void write_classes(const sequence *s, int64_t t, const frame *f, const outputs *out)
{
    const f64v one = f64_set1(1), inverse = f64_set1(f->inverse), scale = f64_set1(out->scale);
    const f64v origin = f64_set1(f->origin), mean = f64_set1(f->mean);
    for (int64_t j = 0; j < s->classes; j += VREAL_LANES) {
        f64v p[LOSSI_WIDENED], v[LOSSI_WIDENED], gradient[LOSSI_WIDENED], curvature[LOSSI_WIDENED],
            product[LOSSI_WIDENED];
        lossi_wide_load(s->e, j, s->classes, p);
        lossi_wide_load(s->direction == NULL ? NULL : s->direction + t * s->classes, j, s->classes, v);
        for (int w = 0; w < LOSSI_WIDENED; w++) {
            class_terms x = {.p = p[w] * inverse, .along = (v[w] - origin) - mean};
            x.post = f64_load(s->posterior + j + w * F64_LANES);
            x.turn = f64_load(s->turn + j + w * F64_LANES);
            x.rest = one - x.p;
            gradient[w] = x.p - x.post;
            class_second(out->kind, &x, gradient[w], &curvature[w], &product[w]);
            gradient[w] = scale * gradient[w];
            curvature[w] = scale * curvature[w];
            product[w] = scale * product[w];
        }
        if (out->gradient != NULL) {
            lossi_wide_store(out->gradient, j, s->classes, gradient);
        }
        if (out->curvature != NULL) {
            lossi_wide_store(out->curvature, j, s->classes, curvature);
        }
        if (out->product != NULL) {
            lossi_wide_store(out->product, j, s->classes, product);
        }
    }
}

/* Σ of an array over the states of all other classes. */
static double of_others(const sequence *s, const double *x, int64_t k)
{
    double sum = 0;
    for (int64_t j = 0; j < s->states; j++) {
        sum += s->label[j] == k ? 0 : x[j];
    }
    return sum;
}

/* One class again, whose p or post is more than a half: by what is left of them, which nothing cancels in. */
static void write_dominant(const sequence *s, const frame *f, const outputs *out, int64_t k, double p,
                           double along)
{
    const double post = s->posterior[k], p_rest = k == f->largest ? f->rest : 1 - p;
    const int32_t sure = post > 0.5;
    const double post_rest = sure ? of_others(s, s->state[POSTERIOR], k) : 1 - post;
    const double turn = sure && s->tangent ? -of_others(s, s->state[REST], k) : s->turn[k];
    const double gradient = p > 0.5 && sure ? post_rest - p_rest : p - post;
    const double left = p <= 0.5 && sure ? post_rest - p : p_rest - post;
    const int32_t exact = out->kind == LOSSI_EXACT;
    if (out->gradient != NULL) {
        lossi_put(out->gradient + k, (real)(out->scale * gradient));
    }
    if (out->curvature != NULL && out->kind != LOSSI_MAJORIZER) {
        lossi_put(out->curvature + k, (real)(out->scale * (exact ? gradient * left : p * p_rest)));
    }
    if (out->product != NULL && exact) {
        lossi_put(out->product + k, (real)(out->scale * (p * along - turn)));
    }
}

/* What is wanted of frame t, whose posteriors are there. */
static void write_frame(sequence *s, int64_t t, const frame *f, const outputs *out)
{
    const real *direction = s->direction == NULL ? NULL : s->direction + t * s->classes;
    int64_t dominant[2] = {f->largest, -1};
    double p[2], along[2];
    for (int64_t j = 0; j < s->states; j++) {
        s->posterior[s->label[j]] += s->state[POSTERIOR][j];
        s->turn[s->label[j]] += s->tangent ? s->state[REST][j] : 0;
    }
    for (int64_t j = 0; j < s->states; j++) {
        dominant[1] = s->posterior[s->label[j]] > 0.5 ? s->label[j] : dominant[1];
    }
    for (int k = 0; k < 2; k++) {
        const int64_t at = dominant[k] < 0 ? 0 : dominant[k];
        p[k] = (double)s->e[at] * f->inverse;
        along[k] = direction == NULL ? 0 : ((double)lossi_get(direction + at) - f->origin) - f->mean;
    }
    write_classes(s, t, f, out);
    for (int k = 0; k < 2; k++) {
        if (dominant[k] >= 0) {
            write_dominant(s, f, out, dominant[k], p[k], along[k]);
        }
    }
    for (int64_t j = 0; j < s->states; j++) {
        s->posterior[s->label[j]] = s->turn[s->label[j]] = 0;
    }
}

static void backwards(sequence *s, double scale)
{
    const lossi_derivatives *out = &s->part->output[PREDICTION];
    for (int64_t t = s->frames - 1; t >= 0; t--) {
        frame f = begin_frame(s, t, 1);
        const outputs to = {lossi_row_to(out->gradient, t, s->classes),
                            lossi_row_to(out->curvature, t, s->classes),
                            lossi_row_to(out->product, t, s->classes), scale, s->part->curvature_kind};
        if (s->direction != NULL) {
            begin_direction(s, t, &f);
        }
        step_back(s, t);
        if (s->tangent) {
            turn_states(s, t);
        }
        write_frame(s, t, &f, &to);
    }
}

/* ---- the kernel ---- */

/* One number in everything that is wanted. */
static void fill(const lossi_part *part, real number)
{
    const lossi_derivatives *out = &part->output[PREDICTION];
    real *const arrays[] = {out->gradient, out->curvature, out->product};
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; arrays[k] != NULL && i < part->rows * part->columns; i++) {
            lossi_put(arrays[k] + i, number);
        }
    }
}

static void ctc(const lossi_part *part)
{
    const double *parameters = part->prepared->parameters;
    const lossi_derivatives *out = &part->output[PREDICTION];
    const int64_t labels = part->input[TARGET].rows, length = labels > 1 ? labels : 1,
                  blank = (int64_t)parameters[BLANK] < 0 ? part->columns - 1 : (int64_t)parameters[BLANK];
    const int32_t by_length = parameters[NORMALIZATION] != 0;
    sequence s = {.part = part,
                  .logits = part->input[PREDICTION].data,
                  .direction = out->product == NULL ? NULL : out->direction,
                  .frames = part->rows,
                  .classes = part->columns};
    s.backwards = out->gradient != NULL || out->curvature != NULL || out->product != NULL;
    s.tangent = s.direction != NULL && part->curvature_kind == LOSSI_EXACT;
    lay_out(&s, part->scratch, s.frames, labels, s.classes);
    begin(&s, labels, part->input[TARGET].data, blank);
    double value = forwards(&s);
    if (s.impossible && value == value) {
        value = (double)INFINITY;
    }
    if (value != value || value == (double)INFINITY) {
        const int32_t quiet = value == value && parameters[ZERO_INFINITY] != 0;
        fill(part, (real)(value != value ? value : 0));
        value = quiet ? 0 : value;
    } else if (s.backwards) {
        backwards(&s, by_length ? part->scale / (double)length : part->scale);
    }
    lossi_put(part->value, (real)(by_length ? value / (double)length : value));
    *part->denominator = by_length ? 1 : (double)length;
}

extern const lossi_kernels LOSSI_NAME(ctc);
const lossi_kernels LOSSI_NAME(ctc) = {.part = ctc};

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [BLANK] = {.name = "blank",
               .type = LOSS_OPTION_INT,
               .minimum = -1,
               .maximum = 1e9,
               .initial = 0,
               .doc = "the class of the blank; -1: the last"},
    [ZERO_INFINITY] = {.name = "zero_infinity",
                       .type = LOSS_OPTION_INT,
                       .minimum = 0,
                       .maximum = 1,
                       .initial = 0,
                       .doc = "1: sequences that their frames cannot hold have loss 0, not infinity"},
    [NORMALIZATION] = {.name = "normalization",
                       .type = LOSS_OPTION_STRING,
                       .text = "target_length",
                       .choices = "none|target_length",
                       .doc = "whether a loss is divided by its number of labels, at least 1"},
};

static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real: a row holds the logits of a frame, one a class; the "
                           "sequences one behind the other"},
    [TARGET] = {.name = "target",
                .kind = LOSSI_ROLE_LABEL,
                .rows = LOSSI_ROWS_OWN,
                .columns = 1,
                .groups = "target_offsets",
                .doc = "labels x 1, integer: the labels of all sequences one behind the other, 0 to columns "
                       "- 1 but not the blank"},
    [OFFSETS] = {.name = "offsets",
                 .kind = LOSSI_ROLE_OFFSETS,
                 .flags = LOSSI_OPTIONAL,
                 .doc = "(groups + 1) x 1, integer, optional: the frames: sequence g has rows offsets[g] to "
                        "offsets[g + 1] - 1; without it all are of one"},
    [TARGET_OFFSETS] =
        {.name = "target_offsets",
         .kind = LOSSI_ROLE_OFFSETS,
         .flags = LOSSI_OPTIONAL,
         .doc = "(groups + 1) x 1, integer, optional: the labels: sequence g has labels target_offsets[g] to "
                "target_offsets[g + 1] - 1, maybe none; more than its frames can hold, with a blank between "
                "equal ones: infinity and gradient 0, or 0 with zero_infinity"},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    const int64_t blank = (int64_t)prepared->parameters[BLANK], classes = shape->columns[PREDICTION];
    return blank < classes && classes > 0
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_SHAPE,
                            "%s has the blank %lld, but 'prediction' has %lld columns", title,
                            (long long)blank, (long long)classes);
}

static int64_t classes(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role)
{
    (void)prepared;
    (void)role;
    return shape->columns[PREDICTION];
}

/* A path that collapses to a blank there is none. */
static int64_t blank(const lossi_prepared *prepared, const lossi_shape *shape, int32_t role)
{
    const int64_t given = (int64_t)prepared->parameters[BLANK];
    (void)role;
    return given < 0 ? shape->columns[PREDICTION] - 1 : given;
}

static int64_t scratch(const lossi_prepared *prepared, const lossi_shape *shape)
{
    static double origin; /* only how far the end is away matters */
    sequence s;
    (void)prepared;
    return lay_out(&s, &origin, shape->rows[PREDICTION], shape->rows[TARGET], shape->columns[PREDICTION]) *
           (int64_t)sizeof(double);
}

static const lossi_structure structure = {
    .roles = roles,
    .role_count = ROLES,
    .weight_doc =
        "groups x 1, real, optional: a factor on every output of its sequence; denominator: the sum of "
        "weight; with normalization = none the sum of weight x labels, at least 1 a sequence",
    .flags = LOSSI_GROUPED,
    .check = check,
    .classes = classes,
    .blank = blank,
    .scratch = scratch};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_ctc;
const lossi_row lossi_row_ctc = {
    .name = "ctc",
    .aliases = "ctc_loss connectionist_temporal_classification",
    .summary = "minus the log-probability of labels spread over frames in every way, with blanks between",
    .formula = "-1/L log sum over paths that collapse to the labels of prod_t p_t(path_t), p_t = "
               "softmax(prediction_t), "
               "L = labels, at least 1; without 1/L with normalization = none",
    .reference =
        "Graves, Fernandez, Gomez & Schmidhuber, Connectionist temporal classification (2006), eq. (8)",
    .elsewhere = "PyTorch CTCLoss, its mean, and its none and sum with normalization = none; optax ctc_loss "
                 "and Keras CTC (normalization = none)",
    .flags = LOSSI_SMOOTH | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC | LOSSI_LABELS | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_SOFTMAX,
    .structure = &structure,
    .options = options,
    .option_count = 3,
    .prepare = prepare,
};

#endif
