/*
 * Formulas as text: the grammar, and a table of callbacks that makes nodes of what it meets.
 *
 *     conditional = disjunction [ "?" conditional ":" conditional ]
 *     disjunction = conjunction { "||" conjunction }
 *     conjunction = comparison { "&&" comparison }
 *     comparison  = sum [ ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) sum ]
 *     sum         = product { ( "+" | "-" ) product }
 *     product     = signed { ( "*" | "/" ) signed }
 *     signed      = ( "-" | "+" | "!" ) signed | power
 *     power       = primary [ ( "^" | "**" ) signed ]
 *     primary     = number | name | name "(" conditional { "," conditional } ")" | "(" conditional ")"
 *
 * So -p^2 is -(p^2), 2^-3 is 1/8 and a^b^c is a^(b^c). Recursive descent (Aho, Lam, Sethi & Ullman, Compilers, 2nd ed., 2006,
 * section 4.4). The callbacks see operands before what is made of them.
 */
#ifndef LOSSI_LOSS_PARSER_H
#define LOSSI_LOSS_PARSER_H

#include <stdint.h>

#include "core/option.h"

enum {
    LOSSI_FORMULA_LENGTH = 65536, /* bytes of text */
    LOSSI_FORMULA_DEPTH = 200,    /* of parentheses, signs, exponents and conditionals in each other */
    LOSSI_FORMULA_NODES = 10000,  /* of an expression and its derivatives */
    LOSSI_FORMULA_NAME = 47       /* characters of a name */
};

/* What a callback returns instead of a node, beside the negative numbers of expression.h. */
enum { LOSSI_FORMULA_UNKNOWN = -3, LOSSI_FORMULA_WRONG = -4 /* what the builder's sentence says */ };

typedef struct lossi_formula_builder {
    void *user;
    int32_t (*number)(void *user, double value);
    /* A name that is followed by no parenthesis; LOSSI_FORMULA_UNKNOWN when there is none such. */
    int32_t (*name)(void *user, const char *name);
    /* An operation of scalar_operations.def. Operands it does not have are 0. */
    int32_t (*apply)(void *user, int32_t operation, int32_t a, int32_t b, int32_t c);
    /* Further functions of one operand, which only this builder has: their names, NULL at the end, and the call; NULL: none. */
    const char *const *functions;
    int32_t (*call)(void *user, const char *function, int32_t operand);
    /* The names there are, for the sentence about one that is not. */
    lossi_name_at name_at;
    const void *names;
    int32_t name_count;
    const char *
        sentence; /* about what is wrong with a node, before LOSSI_FORMULA_WRONG is returned; NULL: it never is */
} lossi_formula_builder;

/*
 * Reads the text from start up to end, which may be inside of it; positions in sentences are characters of text, the first being
 * 1. *node is what the builder made of the whole. LOSS_OK, LOSS_ERROR_FORMULA, LOSS_ERROR_MEMORY; *node is untouched on failure.
 */
loss_status lossi_formula_parse(loss_context *context, const char *text, const char *end,
                                const lossi_formula_builder *builder, int32_t *node);

/* LOSS_ERROR_FORMULA with "formula, character <where>: <sentence>". where: in text. */
loss_status lossi_formula_fail(loss_context *context, const char *text, const char *where, const char *format,
                               ...) __attribute__((format(printf, 4, 5)));

/* Where the name that begins at text ends; text itself when none does. */
const char *lossi_formula_name_end(const char *text, const char *end);

/* ---- functions (functions.c) ---- */

/* Which function it is that a formula calls by the name, −1 when there is none; 0 … count − 1 list all of them. */
int32_t lossi_formula_function(const char *name);
int32_t lossi_formula_function_count(void);
const char *lossi_formula_function_name(int32_t function);
int32_t lossi_formula_function_operands(int32_t function);
const char *lossi_formula_function_doc(int32_t function);

/* The function of nodes, by way of the builder. */
int32_t lossi_formula_call(int32_t function, const lossi_formula_builder *builder, const int32_t *operands);

#endif
