/*
 * Comparisons and what is chosen by them, in one loop: value and slope of a formula with cases mostly choose by the same one. A
 * product of what is chosen and a number, as of a derivative and its scale, is made with it.
 */
#include "loss/expression/program_plan.h"

enum {
    MOST_APART =
        64 /* nodes; two selects that are further apart are not looked at, so that time stays linear */
};

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
        if (p->uses[i] == 0 || p->uniform[i]) {
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

/* Whether a node behind the first, up to the last, reads the first. */
static int32_t is_read_between(const plan *p, int32_t first, int32_t last)
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
        if (late - early > MOST_APART || is_read_between(p, early, late)) {
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

void lossi_program_find_choices(plan *p)
{
    list_users(p);
    for (int32_t i = 1; i < p->count; i++) {
        const int32_t selects = (p->chosen[0][i] != 0) + (p->chosen[1][i] != 0);
        if (selects > 0 && p->uses[i] == selects) {
            settle(p, i);
        }
    }
}

void lossi_program_emit_choice(plan *p, int32_t node)
{
    int32_t exchanged;
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
