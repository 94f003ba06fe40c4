/*
 * Value and slope made of pieces, for the compiler of programs: which results are, and which operations are made with them. A piece is
 * what expression_kernels.h says; an operation is made with it when nothing else reads its result, and the array x that all pieces of
 * an instruction share when it is a difference or product that pieces alone read.
 */
#include "loss/expression/program_plan.h"

#include <stddef.h>
#include <string.h>

enum { VALUE, SLOPE, MOST_INSIDE = 32 };

/* What a node is: numbers around x, a function of x or another array. */
enum { A_NUMBER, AN_X, A_SIZE, A_SQUARE, A_SIGN, A_PRODUCT, AN_ARRAY };

typedef struct side {
    int32_t kind, array;
    lossi_fixed m, k, f;
} side;

typedef struct matching {
    plan *p;
    const lossi_results *results;
    int32_t x;
    int32_t inside[MOST_INSIDE], inside_count; /* nodes that pieces are made of */
    int32_t closed[MOST_INSIDE], closed_count; /* nodes that something else reads */
} matching;

static int32_t is_in(const int32_t *list, int32_t count, int32_t node)
{
    for (int32_t i = 0; i < count; i++) {
        if (list[i] == node) {
            return 1;
        }
    }
    return 0;
}

/* Whether a node is no instruction alone, or one whose result is wanted. */
static int32_t is_taken(const plan *p, int32_t node)
{
    return p->uniform[node] || p->output[node] != 0 || p->done[node] || p->absorbed[node] != 0 ||
           p->pieces[node] != 0 || p->partner[node] != 0;
}

/* A result is made of what it is, whoever wants it. */
static int32_t is_open(const matching *m, int32_t node)
{
    const int32_t is_result = m->results->kind == LOSSI_PIECES_ALONE &&
                              (node == m->results->y || node == m->results->z);
    return node != m->x && (is_result || !is_taken(m->p, node)) && !is_in(m->closed, m->closed_count, node) &&
           m->inside_count < MOST_INSIDE - 1;
}

static void put_inside(matching *m, int32_t node)
{
    if (!is_in(m->inside, m->inside_count, node)) {
        m->inside[m->inside_count++] = node;
    }
}

static void close(matching *m, int32_t node)
{
    if (m->closed_count < MOST_INSIDE) {
        m->closed[m->closed_count++] = node;
    }
}

/* The operand of a product or sum that is no number, and the number; 0 when there are not one of each. */
static int32_t beside_number(const plan *p, const lossi_node *at, int32_t *number)
{
    if (p->uniform[at->a] == p->uniform[at->b]) {
        return 0;
    }
    *number = p->uniform[at->a] ? at->a : at->b;
    return p->uniform[at->a] ? at->b : at->a;
}

/* Takes a product with a number off a node; what is below it. */
static int32_t take_factor(matching *m, int32_t node, lossi_fixed *factor)
{
    const lossi_node *at = node_of(m->p, node);
    if (is_open(m, node) && at->operation == LOSSI_SCALAR_multiply) {
        const int32_t inner = beside_number(m->p, at, &factor->slot);
        if (inner != 0) {
            put_inside(m, node);
            factor->is_there = 1;
            return inner;
        }
    }
    return node;
}

static int32_t take_sign(matching *m, int32_t node, lossi_fixed *factor)
{
    if (is_open(m, node) && node_of(m->p, node)->operation == LOSSI_SCALAR_negate) {
        put_inside(m, node);
        factor->is_negated = !factor->is_negated;
        return node_of(m->p, node)->a;
    }
    return node;
}

/* A number that is added or taken away, or that a node is taken away from. */
static int32_t take_sum(matching *m, int32_t node, side *s)
{
    const lossi_node *at = node_of(m->p, node);
    if (!is_open(m, node) || (at->operation != LOSSI_SCALAR_add && at->operation != LOSSI_SCALAR_subtract)) {
        return node;
    }
    const int32_t inner = beside_number(m->p, at, &s->k.slot);
    if (inner != 0) {
        put_inside(m, node);
        s->k.is_there = 1;
        s->k.is_negated = at->operation == LOSSI_SCALAR_subtract && inner == at->a;
        s->m.is_negated ^= at->operation == LOSSI_SCALAR_subtract && inner == at->b;
    }
    return inner != 0 ? inner : node;
}

static void match_base(matching *m, int32_t node, side *s)
{
    const lossi_node *at = node_of(m->p, node);
    const int32_t operation = at->operation;
    s->kind = node == m->x ? AN_X : AN_ARRAY;
    s->array = node;
    if (node == m->x || !is_open(m, node)) {
        return;
    }
    if (at->a == m->x && (operation == LOSSI_SCALAR_abs || operation == LOSSI_SCALAR_square ||
                          operation == LOSSI_SCALAR_sign)) {
        s->kind = operation == LOSSI_SCALAR_abs      ? A_SIZE
                  : operation == LOSSI_SCALAR_square ? A_SQUARE
                                                     : A_SIGN;
        put_inside(m, node);
    } else if (operation == LOSSI_SCALAR_multiply && (at->a == m->x || at->b == m->x)) {
        s->kind = A_PRODUCT;
        s->array = at->a == m->x ? at->b : at->a;
        put_inside(m, node);
    }
}

/* (±q m + k) f of a node, with as few of them as there are: f alone before m and f. */
static side match(matching *m, int32_t root)
{
    side s = {.kind = A_NUMBER};
    if (m->p->uniform[root]) {
        s.k = (lossi_fixed){1, 0, root};
        return s;
    }
    int32_t node = take_sign(m, root, &s.f);
    node = take_factor(m, node, &s.f);
    node = take_sign(m, node, &s.f);
    node = take_sum(m, node, &s);
    node = take_factor(m, node, &s.m);
    node = take_sign(m, node, &s.m);
    match_base(m, node, &s);
    return s;
}

/* Sign and number of what has nothing but one factor; 0 when there is more. */
static int32_t one_factor(const side *s, lossi_fixed *factor)
{
    if (s->k.is_there || (s->f.is_there && s->m.is_there)) {
        return 0;
    }
    *factor = s->f.is_there ? s->f : s->m;
    factor->is_negated = s->f.is_negated ^ s->m.is_negated;
    return 1;
}

static int32_t is_plain(const lossi_fixed *number)
{
    return !number->is_there && !number->is_negated;
}

/* x m + k; 0 when there is f too. */
static int32_t is_line(const side *value, lossi_piece *piece)
{
    piece->m = value->m;
    piece->k = value->k;
    return value->k.is_there ? is_plain(&value->f) : one_factor(value, &piece->m);
}

static int32_t combine_with_number(const side *value, const side *slope, lossi_piece *piece)
{
    piece->s = slope->k;
    if (value->kind == A_NUMBER) {
        piece->form = LOSSI_PIECE_NUMBER;
        piece->k = value->k;
        return 1;
    }
    piece->form = LOSSI_PIECE_LINEAR;
    return value->kind == AN_X && is_line(value, piece);
}

/* The piece that a value and a slope are together; 0 when they are none. */
static int32_t combine(const side *value, const side *slope, lossi_piece *piece)
{
    *piece = (lossi_piece){.value = value->array, .slope = slope->array};
    if (slope->kind == A_NUMBER) {
        return combine_with_number(value, slope, piece);
    }
    if (!one_factor(slope, &piece->s)) {
        return 0;
    }
    if (value->kind == A_SQUARE && (slope->kind == AN_X || slope->kind == A_PRODUCT)) {
        piece->form = slope->kind == A_PRODUCT ? LOSSI_PIECE_WEIGHED
                      : is_plain(&piece->s)    ? LOSSI_PIECE_SQUARE
                                               : LOSSI_PIECE_PARABOLA;
        return one_factor(value, &piece->f);
    }
    if (value->kind == A_SIZE && slope->kind == A_SIGN) {
        piece->form = LOSSI_PIECE_SIZE;
        piece->f = value->f;
        piece->k = value->k;
        return is_plain(&value->m) || (!value->k.is_there && one_factor(value, &piece->f));
    }
    piece->form = LOSSI_PIECE_MARGIN;
    return value->kind == AN_X && slope->kind == AN_ARRAY && is_line(value, piece);
}

/* A piece of two nodes; where they are none, two arrays, unless one is a number. */
static int32_t match_piece(matching *m, const int32_t *roots, lossi_piece *piece)
{
    const int32_t before = m->inside_count;
    side value = match(m, roots[VALUE]), slope = match(m, roots[SLOPE]);
    if (combine(&value, &slope, piece)) {
        return 1;
    }
    if (m->results->kind == LOSSI_PIECES_ALONE || m->p->uniform[roots[VALUE]] ||
        m->p->uniform[roots[SLOPE]]) {
        return 0;
    }
    m->inside_count = before;
    *piece = (lossi_piece){.form = LOSSI_PIECE_ARRAY, .value = roots[VALUE], .slope = roots[SLOPE]};
    return 1;
}

/* The form of a function that is made with its slope; LOSSI_PIECE_FORMS of others. */
static int32_t pair_form(int32_t operation)
{
    return operation == LOSSI_SCALAR_softplus       ? LOSSI_PIECE_SOFTPLUS
           : operation == LOSSI_SCALAR_log_cosh     ? LOSSI_PIECE_LOG_COSH
           : operation == LOSSI_SCALAR_pseudo_huber ? LOSSI_PIECE_PSEUDO_HUBER
                                                    : LOSSI_PIECE_FORMS;
}

/* A function times a number, and its slope times a number and perhaps an array; both of x, or x times a number. */
static int32_t match_pair(matching *m, lossi_pieces *made)
{
    lossi_piece *piece = &made->first;
    side inner = {.kind = A_NUMBER};
    memset(piece, 0, sizeof *piece);
    int32_t value = take_sign(m, m->results->z, &piece->f);
    value = take_factor(m, value, &piece->f);
    int32_t slope = take_sign(m, m->results->y, &piece->s);
    slope = take_factor(m, slope, &piece->s);
    const int32_t other = m->p->partner[value];
    const lossi_node *of = node_of(m->p, value), *at = node_of(m->p, slope);
    piece->form = pair_form(of->operation);
    if (other == 0 || piece->form == LOSSI_PIECE_FORMS) {
        return 0;
    }
    if (slope != other && at->operation == LOSSI_SCALAR_multiply && (at->a == other || at->b == other)) {
        made->flags |= LOSSI_PIECES_WITH_ARRAY;
        piece->slope = at->a == other ? at->b : at->a;
        put_inside(m, slope);
        slope = other;
    }
    put_inside(m, value);
    put_inside(m, other);
    int32_t node = take_factor(m, of->a, &inner.m);
    node = take_sign(m, node, &inner.m);
    piece->m = inner.m;
    return slope == other && node == m->x;
}

/* What is compared with a number: x, its size, and what must be below the number. */
static int32_t match_compared(matching *m, lossi_pieces *made)
{
    const lossi_node *at = node_of(m->p, m->results->compared);
    if (m->results->compared == m->x) {
        return 1;
    }
    if (at->operation != LOSSI_SCALAR_abs || at->a != m->x || !is_open(m, m->results->compared)) {
        return 0;
    }
    made->flags |= LOSSI_PIECES_OF_SIZE;
    put_inside(m, m->results->compared);
    return 1;
}

static int32_t match_all(matching *m, lossi_pieces *made)
{
    const lossi_results *r = m->results;
    const int32_t most = r->kind == LOSSI_PIECES_ALONE   ? LOSSI_PIECE_FORMS
                         : r->kind == LOSSI_PIECES_ABOVE ? LOSSI_PIECE_WEIGHED
                                                         : LOSSI_PIECE_OF_EXTREMES;
    m->inside_count = 0;
    made->kind = r->kind;
    made->flags = r->flags;
    if (r->kind == LOSSI_PIECES_ALONE && match_pair(m, made)) {
        return 1;
    }
    m->inside_count = 0;
    made->flags = r->flags;
    return (r->kind != LOSSI_PIECES_ABOVE || match_compared(m, made)) &&
           match_piece(m, r->first, &made->first) &&
           (r->kind == LOSSI_PIECES_ALONE || match_piece(m, r->second, &made->second)) &&
           made->first.form < most && made->second.form < most;
}

/* How often a node is read by those of the instruction. */
static int32_t inner_uses(const matching *m, int32_t node)
{
    const lossi_results *r = m->results;
    int32_t uses = 0;
    for (int32_t i = 0; i < m->inside_count + r->count; i++) {
        const int32_t reader = i < m->inside_count ? m->inside[i] : r->nodes[i - m->inside_count];
        const lossi_node *at = node_of(m->p, reader);
        for (int32_t o = 0; o < lossi_scalar_operands(at->operation); o++) {
            uses += operand(at, o) == node;
        }
    }
    return uses;
}

/* The first node inside that something reads as an array, 0 when there is none. */
static int32_t read_outside(const matching *m, lossi_pieces *made)
{
    int32_t *operands[LOSSI_PIECE_OPERANDS];
    const int32_t count = lossi_program_list_pieces(made, operands);
    for (int32_t i = 0; i < m->inside_count; i++) {
        const int32_t node = m->inside[i], is_result = node == m->results->y || node == m->results->z;
        if (!is_result && inner_uses(m, node) != m->p->uses[node]) {
            return node;
        }
        for (int32_t o = 0; o < count; o++) {
            if (*operands[o] == node) {
                return node;
            }
        }
    }
    return 0;
}

/* Whether an instruction would read its own result. */
static int32_t reads_itself(const lossi_results *r, lossi_pieces *made)
{
    int32_t *operands[LOSSI_PIECE_OPERANDS];
    const int32_t count = lossi_program_list_pieces(made, operands);
    for (int32_t o = 0; o < count; o++) {
        if (*operands[o] == r->y || *operands[o] == r->z) {
            return 1;
        }
    }
    return 0;
}

/* What a node is a function of, by operations that pieces have. */
static int32_t base_of(const plan *p, const lossi_results *r)
{
    int32_t node = r->kind == LOSSI_PIECES_ABOVE  ? r->compared
                   : !p->uniform[r->first[VALUE]] ? r->first[VALUE]
                                                  : r->second[VALUE],
            number;
    for (;;) {
        const lossi_node *at = node_of(p, node);
        const int32_t operation = at->operation;
        int32_t inner = 0;
        const int32_t is_alone = r->kind == LOSSI_PIECES_ALONE;
        if (is_alone && p->partner[node] != 0 && pair_form(operation) != LOSSI_PIECE_FORMS) {
            inner = at->a;
        } else if (is_taken(p, node) && !(is_alone && node == r->z)) {
            return node;
        } else if (operation == LOSSI_SCALAR_multiply || operation == LOSSI_SCALAR_add ||
                   operation == LOSSI_SCALAR_subtract) {
            inner = r->kind == LOSSI_PIECES_ABOVE ? 0 : beside_number(p, at, &number);
        } else if (operation == LOSSI_SCALAR_negate || operation == LOSSI_SCALAR_abs ||
                   operation == LOSSI_SCALAR_square) {
            inner = at->a;
        }
        if (inner == 0) {
            return node;
        }
        node = inner;
    }
}

static int32_t is_input(const plan *p, int32_t node)
{
    return p->uniform[node] || node_of(p, node)->operation == LOSSI_SCALAR_INPUT;
}

/* Whether all that an instruction reads is there from the beginning: x too, or what it is made of. */
static int32_t reads_inputs(const matching *m, lossi_pieces *made)
{
    const lossi_node *at = node_of(m->p, m->x);
    int32_t *operands[LOSSI_PIECE_OPERANDS];
    const int32_t count = lossi_program_list_pieces(made, operands);
    const int32_t is_made = at->operation == LOSSI_SCALAR_subtract || at->operation == LOSSI_SCALAR_multiply;
    if (!is_input(m->p, m->x) && !(is_made && is_input(m->p, at->a) && is_input(m->p, at->b))) {
        return 0;
    }
    for (int32_t o = 0; o < count; o++) {
        if (*operands[o] != m->x && !is_input(m->p, *operands[o])) {
            return 0;
        }
    }
    return 1;
}

/* The node where two results are made: the first where all is there, the later one where nothing reads the other before; 0. */
static int32_t place_of(const matching *m, lossi_pieces *made)
{
    const int32_t y = m->results->y, z = m->results->z, early = y < z ? y : z, late = y < z ? z : y;
    return late - early > LOSSI_MOST_APART                         ? 0
           : reads_inputs(m, made)                                 ? early
           : lossi_program_is_read_between(m->p, early, late) == 0 ? late
                                                                   : 0;
}

int32_t lossi_program_settle_pieces(plan *p, const lossi_results *results)
{
    matching m = {.p = p, .results = results};
    lossi_pieces *made = &p->made->pieces[p->made->piece_count];
    memset(made, 0, sizeof *made);
    m.x = base_of(p, results);
    made->a = m.x;
    for (int32_t outside = 1; outside != 0; close(&m, outside)) {
        if (!match_all(&m, made) || m.closed_count == MOST_INSIDE || reads_itself(results, made)) {
            return 0;
        }
        outside = read_outside(&m, made);
    }
    const int32_t place = place_of(&m, made);
    if (place == 0) {
        return 0;
    }
    made->number = results->number;
    made->same = results->same;
    made->factor = results->factor;
    p->pieces[place] = ++p->made->piece_count;
    p->first[place] = results->y;
    p->second[place] = results->z;
    for (int32_t i = 0; i < m.inside_count; i++) {
        p->absorbed[m.inside[i]] = place;
    }
    for (int32_t i = 0; i < results->count; i++) {
        p->absorbed[results->nodes[i]] = place;
    }
    p->absorbed[results->y] = p->absorbed[results->z] = 0;
    p->done[results->y] = results->y != place;
    p->done[results->z] = results->z != place;
    p->base_uses[m.x] += inner_uses(&m, m.x);
    return 1;
}

/* Whether a node is a difference or product of arrays that pieces alone read. */
static int32_t is_base_alone(const plan *p, int32_t node)
{
    const lossi_node *at = node_of(p, node);
    return !is_taken(p, node) && p->base_uses[node] == p->uses[node] &&
           (at->operation == LOSSI_SCALAR_subtract || at->operation == LOSSI_SCALAR_multiply) &&
           !p->uniform[at->a] && !p->uniform[at->b];
}

void lossi_program_make_bases(plan *p)
{
    enum { MADE = -1 };
    for (int32_t i = 1; i < p->count; i++) {
        if (p->pieces[i] == 0) {
            continue;
        }
        lossi_pieces *made = &p->made->pieces[p->pieces[i] - 1];
        const int32_t x = made->a;
        const lossi_node *at = node_of(p, x);
        if (is_base_alone(p, x)) {
            p->base_uses[x] = MADE;
            p->absorbed[x] = i;
        }
        if (p->base_uses[x] == MADE) {
            made->base = at->operation == LOSSI_SCALAR_subtract ? LOSSI_BASE_DIFFERENCE : LOSSI_BASE_PRODUCT;
            made->a = at->a;
            made->b = at->b;
        }
    }
}

void lossi_program_emit_pieces(plan *p, int32_t node)
{
    lossi_instruction *at = lossi_program_emit(p, LOSSI_KERNEL_pieces, p->first[node]);
    at->z = p->second[node];
    at->pieces = &p->made->pieces[p->pieces[node] - 1];
}

static void list_number(lossi_fixed *number, int32_t **operands, int32_t *count)
{
    if (number->is_there) {
        operands[(*count)++] = &number->slot;
    }
}

static void list_piece(lossi_piece *piece, int32_t with_array, int32_t **operands, int32_t *count)
{
    list_number(&piece->m, operands, count);
    list_number(&piece->k, operands, count);
    list_number(&piece->f, operands, count);
    list_number(&piece->s, operands, count);
    if (piece->form == LOSSI_PIECE_ARRAY) {
        operands[(*count)++] = &piece->value;
    } else {
        piece->value = 0;
    }
    if (piece->form == LOSSI_PIECE_ARRAY || piece->form == LOSSI_PIECE_MARGIN ||
        piece->form == LOSSI_PIECE_WEIGHED || with_array) {
        operands[(*count)++] = &piece->slope;
    } else {
        piece->slope = 0;
    }
}

int32_t lossi_program_list_pieces(lossi_pieces *made, int32_t **operands)
{
    int32_t count = 0;
    operands[count++] = &made->a;
    if (made->base != LOSSI_BASE_ARRAY) {
        operands[count++] = &made->b;
    }
    list_piece(&made->first, made->flags & LOSSI_PIECES_WITH_ARRAY, operands, &count);
    list_piece(&made->second, 0, operands, &count);
    list_number(&made->number, operands, &count);
    list_number(&made->same, operands, &count);
    list_number(&made->factor, operands, &count);
    return count;
}
