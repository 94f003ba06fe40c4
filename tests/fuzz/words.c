/* The words of the catalogues: fuzz_words(), and printed as a dictionary for libFuzzer by the program `fuzz_dictionary`. */
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"

typedef struct listener {
    void (*each)(void *user, const char *word);
    void *user;
} listener;

/* A list of words between blanks or bars. */
static void tell_list(const listener *l, const char *list)
{
    while (list != NULL && *list != '\0') {
        char word[96];
        const size_t length = strcspn(list, " |");
        if (length > 0 && length < sizeof word) {
            memcpy(word, list, length);
            word[length] = '\0';
            l->each(l->user, word);
        }
        list += length + strspn(list + length, " |");
    }
}

static void tell_option(const listener *l, const loss_option *option)
{
    l->each(l->user, loss_option_name(option));
    if (loss_option_type(option) == LOSS_OPTION_STRING) {
        tell_list(l, loss_option_choices(option));
    }
}

static void tell_losses(const listener *l, loss_context *context)
{
    for (int32_t i = 0; i < loss_function_catalogue_count(); i++) {
        loss_function *function = NULL;
        l->each(l->user, loss_function_catalogue_name(i));
        loss_function_create(&function, context, loss_function_catalogue_name(i));
        tell_list(l, loss_function_aliases(function));
        for (int32_t k = 0; k < loss_function_role_count(function); k++) {
            l->each(l->user, loss_function_role(function, k));
        }
        for (int32_t k = 0; k < loss_function_option_count(function); k++) {
            tell_option(l, loss_function_option(function, k));
        }
        loss_function_free(function);
    }
}

static void tell_optimizers(const listener *l, loss_context *context)
{
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        loss_optimizer *optimizer = NULL;
        l->each(l->user, loss_optimizer_catalogue_name(i));
        loss_optimizer_create(&optimizer, context, loss_optimizer_catalogue_name(i), LOSS_FLOAT64, 3);
        for (int32_t k = 0; k < loss_optimizer_option_count(optimizer); k++) {
            tell_option(l, loss_optimizer_option(optimizer, k));
        }
        loss_optimizer_free(optimizer);
    }
}

static void tell_operations(const listener *l, loss_context *context)
{
    for (int32_t i = 0; i < loss_operation_catalogue_count(); i++) {
        loss_operation *operation = NULL;
        l->each(l->user, loss_operation_catalogue_name(i));
        loss_operation_create(&operation, context, loss_operation_catalogue_name(i));
        for (int32_t k = 0; k < loss_operation_option_count(operation); k++) {
            tell_option(l, loss_operation_option(operation, k));
        }
        loss_operation_free(operation);
    }
}

void fuzz_words(void (*each)(void *user, const char *word), void *user)
{
    const listener l = {each, user};
    loss_context *context = NULL;
    fuzz_expect(loss_context_create(&context) == LOSS_OK, "a context can be made");
    tell_losses(&l, context);
    tell_optimizers(&l, context);
    tell_operations(&l, context);
    loss_context_free(context);
}

#ifdef FUZZ_DICTIONARY

static void print(void *user, const char *word)
{
    (void)user;
    printf("\"%s\"\n", word);
}

int main(void)
{
    fuzz_words(print, NULL);
    return 0;
}

#endif
