/*
 * Comparisons and what is chosen by them, in one loop: value and slope of a formula with cases mostly choose by the same one. A
 * product of what is chosen and a number, as of a derivative and its scale, is made with it.
 */
#include "loss/expression/program_plan.h"

/* The loop of a comparison, LOSSI_KERNEL_COUNT of other operations. Greater is less with sides exchanged. */
static int32_t kernel_of(int32_t operation, int32_t *exchanged)
{
    *exchanged = operation == LOSSI_SCALAR_greater || operation == LOSSI_SCALAR_greater_equal;
    switch (operation) {
    case LOSSI_SCALAR_less:
    case LOSSI_SCALAR_greater:
        return LOSSI_KERNEL_choose_less;
    case LOSSI_SCALAR_less_equal:
    case LOSSI_SCALAR_greater_equal:
        return LOSSI_KERNEL_choose_less_equal;
    case LOSSI_SCALAR_equal:
        return LOSSI_KERNEL_choose_equal;
    default:
        return LOSSI_KERNEL_COUNT;
    }
}

static int32_t is_comparison(const plan *p, int32_t node)
{
    int32_t exchanged;
    return !p->uniform[node] && p->output[node] == 0 &&
           kernel_of(node_of(p, node)->operation, &exchanged) != LOSSI_KERNEL_COUNT;
}

/* Selects by a comparison, and products of a select and a number. */
static void list_users(plan *p)
{
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        if (p->uses[i] == 0 || p->uniform[i] || p->absorbed[i] != 0 || p->done[i] || p->pieces[i] != 0) {
            continue;
        }
        if (at->operation == LOSSI_SCALAR_select && is_comparison(p, at->a)) {
            p->chosen[p->chosen[0][at->a] != 0][at->a] = i;
        } else if (at->operation == LOSSI_SCALAR_multiply && p->absorbed[i] == 0 &&
                   p->uniform[at->a] != p->uniform[at->b]) {
            const int32_t inner = p->uniform[at->a] ? at->b : at->a;
            if (p->uses[inner] == 1 && p->output[inner] == 0 && p->absorbed[inner] == 0 &&
                node_of(p, inner)->operation == LOSSI_SCALAR_select) {
                p->times[inner] = i;
            }
        }
    }
}

int32_t lossi_program_is_read_between(const plan *p, int32_t first, int32_t last)
{
    for (int32_t i = first + 1; i <= last; i++) {
        const lossi_node *at = node_of(p, i);
        for (int32_t o = 0; o < lossi_scalar_operands(at->operation) && p->uses[i] > 0; o++) {
            if (operand(at, o) == first) {
                return 1;
            }
        }
    }
    return 0;
}

/* The node that a select becomes. */
static int32_t result_of(const plan *p, int32_t select)
{
    return p->times[select] != 0 ? p->times[select] : select;
}

/* One is made where it stands, two where the later one does: so nothing may read the other one before. */
static void settle(plan *p, int32_t comparison)
{
    const int32_t first = p->chosen[0][comparison], second = p->chosen[1][comparison];
    if (second == 0) {
        p->choice[result_of(p, first)] = comparison;
    } else {
        p->times[first] = p->times[second] != 0 ? 0 : p->times[first]; /* one of them only */
        const int32_t a = result_of(p, first), b = result_of(p, second);
        const int32_t early = a < b ? a : b, late = a < b ? b : a;
        if (late - early > LOSSI_MOST_APART || lossi_program_is_read_between(p, early, late)) {
            p->times[first] = p->times[second] = 0;
            return;
        }
        p->choice[late] = comparison;
        p->done[early] = 1;
        p->absorbed[second] = p->times[second];
    }
    p->absorbed[first] = p->times[first];
    p->absorbed[comparison] = first; /* no instruction of its own */
}

/* ---- extremes ---- */

/* What is chosen where a < b, a = b and a > b. */
typedef struct order {
    int32_t below, same, above;
} order;

/* Whether a node is a comparison of a and b, in either order, that one select reads and nothing else does. */
static int32_t compares(const plan *p, int32_t node, int32_t a, int32_t b)
{
    const lossi_node *at = node_of(p, node);
    return p->uses[node] == 1 && is_comparison(p, node) && at->operation != LOSSI_SCALAR_less_equal &&
           at->operation != LOSSI_SCALAR_greater_equal &&
           ((at->a == a && at->b == b) || (at->a == b && at->b == a));
}

/* The two sides of a select by less or greater of a and b; the other one counts where they tie. */
static order sides_of(const plan *p, int32_t select, int32_t a)
{
    const lossi_node *at = node_of(p, select), *by = node_of(p, at->a);
    const int32_t is_below = (by->operation == LOSSI_SCALAR_less) == (by->a == a);
    return is_below ? (order){at->b, at->c, at->c} : (order){at->c, at->c, at->b};
}

/* Whether a select chooses by the order of a and b alone, in one comparison or in two, and what. */
static int32_t chooses_by_order(const plan *p, int32_t select, int32_t a, int32_t b, order *found)
{
    const lossi_node *at = node_of(p, select);
    if (at->operation != LOSSI_SCALAR_select || p->uses[select] == 0 || p->uniform[select] ||
        !compares(p, at->a, a, b)) {
        return 0;
    }
    if (node_of(p, at->a)->operation != LOSSI_SCALAR_equal) {
        *found = sides_of(p, select, a);
        return 1;
    }
    const lossi_node *inner = node_of(p, at->c);
    if (inner->operation != LOSSI_SCALAR_select || p->uses[at->c] != 1 || p->output[at->c] != 0 ||
        p->uniform[at->c] || !compares(p, inner->a, a, b) ||
        node_of(p, inner->a)->operation == LOSSI_SCALAR_equal) {
        return 0;
    }
    *found = sides_of(p, at->c, a);
    found->same = at->b;
    return 1;
}

/* Whether a node is the product of an array and a number that all its readers, so many, may make for themselves. */
static int32_t is_scaled(const plan *p, int32_t node, int32_t readers)
{
    const lossi_node *at = node_of(p, node);
    return at->operation == LOSSI_SCALAR_multiply && p->uses[node] == readers && p->output[node] == 0 &&
           p->absorbed[node] == 0 && p->uniform[at->a] != p->uniform[at->b] && p->absorbed[at->a] != node &&
           p->absorbed[at->b] != node && p->times[p->uniform[at->a] ? at->b : at->a] != node;
}

/* Whether one side of an order alone reads a node that is a number's negative. */
static int32_t is_negated(const plan *p, int32_t node, int32_t same)
{
    return node != same && node_of(p, node)->operation == LOSSI_SCALAR_negate && p->uses[node] == 1 &&
           p->output[node] == 0 && !p->uniform[node];
}

/* The first select behind a maximum or minimum that is chosen by its order, in two comparisons where there is one; 0. */
static int32_t chosen_by(const plan *p, int32_t node, int32_t end)
{
    const lossi_node *at = node_of(p, node);
    int32_t one = 0;
    for (int32_t i = node + 1; i < end; i++) {
        order found;
        if (chooses_by_order(p, i, at->a, at->b, &found) && p->absorbed[node_of(p, i)->a] == 0) {
            if (node_of(p, node_of(p, i)->a)->operation == LOSSI_SCALAR_equal) {
                return i;
            }
            one = one == 0 ? i : one;
        }
    }
    return one;
}

/*
 * A maximum or minimum is made with the slope that is chosen by which of the two it is: where the slope is, so nothing may read it
 * before.
 */
static void settle_extreme(plan *p, int32_t node)
{
    const int32_t end = node + LOSSI_MOST_APART < p->count ? node + LOSSI_MOST_APART : p->count;
    const int32_t select = chosen_by(p, node, end), late = result_of(p, select);
    if (select == 0 || late >= end || lossi_program_is_read_between(p, node, late)) {
        return;
    }
    const lossi_node *at = node_of(p, select), *of = node_of(p, node);
    const int32_t in_two = node_of(p, at->a)->operation == LOSSI_SCALAR_equal;
    p->choice[late] = select;
    p->extreme[late] = node;
    p->done[node] = 1;
    p->absorbed[at->a] = select;
    p->absorbed[select] = p->times[select];
    if (in_two) {
        p->absorbed[node_of(p, at->c)->a] = p->absorbed[at->c] = select;
    }
    order found;
    chooses_by_order(p, select, of->a, of->b, &found);
    if (is_negated(p, found.below, found.same) && p->absorbed[found.below] == 0) {
        p->absorbed[found.below] = late;
    }
    if (is_negated(p, found.above, found.same) && p->absorbed[found.above] == 0) {
        p->absorbed[found.above] = late;
    }
    if (is_scaled(p, of->a, 2 + in_two) && is_scaled(p, of->b, 2 + in_two)) {
        p->absorbed[of->a] = p->absorbed[of->b] = late;
    }
}

static void find_extremes(plan *p)
{
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        if ((at->operation == LOSSI_SCALAR_maximum || at->operation == LOSSI_SCALAR_minimum) &&
            p->uses[i] > 0 && !p->uniform[i] && !p->done[i] && p->pieces[i] == 0 && at->a != at->b) {
            settle_extreme(p, i);
        }
    }
}

static void emit_extreme(plan *p, int32_t node)
{
    const int32_t extreme = p->extreme[node], select = p->choice[node];
    const lossi_node *of = node_of(p, extreme);
    order found = {0, 0, 0};
    chooses_by_order(p, select, of->a, of->b, &found);
    lossi_instruction *made = lossi_program_emit(p, LOSSI_KERNEL_choose_order, node);
    made->z = extreme;
    made->a = of->a;
    made->b = of->b;
    made->c = found.below;
    made->d = found.same;
    made->e = found.above;
    made->flags = of->operation == LOSSI_SCALAR_minimum ? LOSSI_CHOICE_MINIMUM : 0;
    if (p->absorbed[found.below] == node) {
        made->c = node_of(p, found.below)->a;
        made->flags |= LOSSI_CHOICE_NEGATED_C;
    }
    if (p->absorbed[found.above] == node) {
        made->e = node_of(p, found.above)->a;
        made->flags |= LOSSI_CHOICE_NEGATED_E;
    }
    if (p->absorbed[of->a] == node && p->absorbed[of->b] == node) {
        const lossi_node *left = node_of(p, of->a), *right = node_of(p, of->b);
        made->f = p->uniform[left->a] ? left->a : left->b;
        made->g = p->uniform[right->a] ? right->a : right->b;
        made->a = p->uniform[left->a] ? left->b : left->a;
        made->b = p->uniform[right->a] ? right->b : right->a;
        made->flags |= LOSSI_CHOICE_SCALED;
    }
    if (p->times[select] != 0) {
        const lossi_node *product = node_of(p, p->times[select]);
        made->factor = p->uniform[product->a] ? product->a : product->b;
        made->flags |= LOSSI_CHOICE_FACTOR;
    }
    const int32_t operands[] = {made->a, made->b, made->c, made->d, made->e};
    for (int32_t o = 0; o < 5; o++) {
        made->flags |= p->uniform[operands[o]] ? 1 << o : 0;
    }
}

/* ---- pieces ---- */

static void add_node(lossi_results *r, int32_t node)
{
    r->nodes[r->count++] = node;
}

/* The slope is what is chosen by a select, or that times a number. */
static void add_slope(const plan *p, lossi_results *r, int32_t select)
{
    r->y = result_of(p, select);
    add_node(r, select);
    if (p->times[select] != 0) {
        const lossi_node *product = node_of(p, p->times[select]);
        r->factor = (lossi_fixed){1, 0, p->uniform[product->a] ? product->a : product->b};
        add_node(r, p->times[select]);
    }
}

static void settle_extreme_pieces(plan *p, int32_t node)
{
    const int32_t end = node + LOSSI_MOST_APART < p->count ? node + LOSSI_MOST_APART : p->count;
    const int32_t select = chosen_by(p, node, end);
    if (select == 0) {
        return;
    }
    const lossi_node *at = node_of(p, select), *of = node_of(p, node);
    lossi_results r = {.kind = LOSSI_PIECES_MAXIMUM, .z = node};
    order found = {0, 0, 0};
    chooses_by_order(p, select, of->a, of->b, &found);
    r.first[0] = of->a;
    r.first[1] = found.above;
    r.second[0] = of->b;
    r.second[1] = found.below;
    r.same = (lossi_fixed){1, 0, found.same};
    add_node(&r, node);
    add_node(&r, at->a);
    add_slope(p, &r, select);
    if (node_of(p, at->a)->operation == LOSSI_SCALAR_equal) {
        add_node(&r, at->c);
        add_node(&r, node_of(p, at->c)->a);
    }
    if ((p->uniform[of->a] && found.same != found.above) ||
        (p->uniform[of->b] && found.same != found.below)) {
        return;
    }
    if (p->uniform[found.same]) {
        lossi_program_settle_pieces(p, &r);
    }
}

/* A comparison of an array and a number that chooses value and slope: the first pieces are those where number < ±x. */
static void settle_choice_pieces(plan *p, int32_t comparison)
{
    const lossi_node *by = node_of(p, comparison);
    const int32_t one = p->chosen[0][comparison], other = p->chosen[1][comparison];
    const int32_t is_last = p->times[other] == 0 && p->output[one] > p->output[other];
    const int32_t slope = p->times[one] != 0 || is_last ? one : other;
    const int32_t value = slope == one ? other : one, number = p->uniform[by->a] ? by->a : by->b;
    const int32_t is_less = by->operation == LOSSI_SCALAR_less || by->operation == LOSSI_SCALAR_less_equal;
    const int32_t is_strict = by->operation == LOSSI_SCALAR_less || by->operation == LOSSI_SCALAR_greater;
    if (other == 0 || by->operation == LOSSI_SCALAR_equal || p->uniform[by->a] == p->uniform[by->b] ||
        p->times[value] != 0) {
        return;
    }
    /* whether it holds above the number, and without ties; else its opposite does */
    const int32_t is_above = is_less == p->uniform[by->a], first_is_above = is_above == is_strict;
    const lossi_node *values = node_of(p, value), *slopes = node_of(p, slope);
    lossi_results r = {.kind = LOSSI_PIECES_ABOVE,
                       .z = value,
                       .first = {is_strict ? values->b : values->c, is_strict ? slopes->b : slopes->c},
                       .second = {is_strict ? values->c : values->b, is_strict ? slopes->c : slopes->b},
                       .compared = p->uniform[by->a] ? by->b : by->a,
                       .number = {1, !first_is_above, number},
                       .flags = first_is_above ? 0 : LOSSI_PIECES_NEGATED};
    add_node(&r, comparison);
    add_node(&r, value);
    add_slope(p, &r, slope);
    lossi_program_settle_pieces(p, &r);
}

/* The first two outputs, where nothing is chosen. */
static void settle_pieces_alone(plan *p)
{
    if (p->outputs < 2) {
        return;
    }
    const int32_t value = p->nodes[0], slope = p->nodes[1];
    const lossi_results r = {.kind = LOSSI_PIECES_ALONE,
                             .y = slope,
                             .z = value,
                             .first = {value, slope},
                             .second = {value, slope}};
    if (value != slope && !p->uniform[value] && !p->uniform[slope] && !p->done[value] && !p->done[slope] &&
        p->pieces[value] == 0 && p->pieces[slope] == 0) {
        lossi_program_settle_pieces(p, &r);
    }
}

void lossi_program_find_pieces(plan *p)
{
    list_users(p);
    for (int32_t i = 1; i < p->count; i++) {
        const lossi_node *at = node_of(p, i);
        if (at->operation == LOSSI_SCALAR_maximum && p->uses[i] > 0 && !p->uniform[i] && at->a != at->b) {
            settle_extreme_pieces(p, i);
        }
    }
    for (int32_t i = 1; i < p->count; i++) {
        if (p->chosen[1][i] != 0 && p->uses[i] == 2 && p->absorbed[i] == 0) {
            settle_choice_pieces(p, i);
        }
    }
    settle_pieces_alone(p);
    lossi_program_make_bases(p);
    for (int32_t i = 0; i < p->count; i++) {
        p->chosen[0][i] = p->chosen[1][i] = p->times[i] = 0;
    }
}

void lossi_program_find_choices(plan *p)
{
    list_users(p);
    find_extremes(p);
    for (int32_t i = 1; i < p->count; i++) {
        const int32_t selects = (p->chosen[0][i] != 0) + (p->chosen[1][i] != 0);
        if (selects > 0 && p->uses[i] == selects && p->absorbed[i] == 0) {
            settle(p, i);
        }
    }
}

void lossi_program_emit_choice(plan *p, int32_t node)
{
    int32_t exchanged;
    if (p->extreme[node] != 0) {
        emit_extreme(p, node);
        return;
    }
    const int32_t comparison = p->choice[node];
    const lossi_node *by = node_of(p, comparison);
    const int32_t kernel = kernel_of(by->operation, &exchanged);
    int32_t plain = p->chosen[0][comparison], scaled = p->chosen[1][comparison];
    if (scaled == 0) { /* the result of one that is alone is the first */
        scaled = plain;
        plain = 0;
    } else if (p->times[plain] != 0) {
        const int32_t other = plain;
        plain = scaled;
        scaled = other;
    }
    lossi_instruction *made = lossi_program_emit(p, kernel, result_of(p, scaled));
    const lossi_node *y = node_of(p, scaled);
    made->a = exchanged ? by->b : by->a;
    made->b = exchanged ? by->a : by->b;
    made->c = y->b;
    made->d = y->c;
    if (p->times[scaled] != 0) {
        const lossi_node *product = node_of(p, p->times[scaled]);
        made->factor = p->uniform[product->a] ? product->a : product->b;
        made->flags |= LOSSI_CHOICE_FACTOR;
    }
    if (plain != 0) {
        made->z = plain;
        made->e = node_of(p, plain)->b;
        made->f = node_of(p, plain)->c;
        made->flags |= LOSSI_CHOICE_TWO;
    }
    const int32_t operands[] = {made->a, made->b, made->c, made->d, made->e, made->f};
    for (int32_t o = 0; o < 6; o++) {
        made->flags |= operands[o] != 0 && p->uniform[operands[o]] ? 1 << o : 0;
    }
}
