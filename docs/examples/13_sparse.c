/*
 * Text in LIBSVM format, trained on as it is: sparse features, columns scaled as a view, and the weights told in the columns
 * of the file. Introduces loss_sparse_parse_svmlight() of libloss_io, loss_data_set_sparse_input(),
 * loss_objective_original_parameters().
 */
#include "must.h"

#include <loss/io.h>
#include <string.h>

/*
 * Animals of the data set Zoo (Forsyth 1990, UCI Machine Learning Repository, CC BY 4.0): 1 for those that lay eggs; whether they have 1 hair,
 * 2 feathers, 3 milk, 4 wings to fly, 5 live in water, 6 have teeth, and 7 how many legs.
 */
static const char text[] = "0 1:1 3:1 6:1 7:4       # bear\n"
                           "0 3:1 5:1 6:1           # dolphin\n"
                           "0 1:1 3:1 4:1 6:1 7:2   # fruit bat\n"
                           "0 1:1 3:1 6:1 7:2       # gorilla\n"
                           "1 1:1 3:1 5:1 7:4       # platypus\n"
                           "0 7:8                   # scorpion\n"
                           "1 2:1 4:1 5:1 7:2       # duck\n"
                           "1 2:1 5:1 7:2           # penguin\n"
                           "1 5:1 6:1 7:4           # frog\n"
                           "1 5:1 6:1               # carp\n"
                           "1 7:4                   # tortoise\n"
                           "1 1:1 4:1 7:6           # honeybee\n";
static const char *const words[] = {"hair", "feathers", "milk", "airborne", "aquatic", "toothed", "legs"};

enum { COLUMNS = 7 };

/* The matrix is lent, not copied: the table has to outlive the data. */
static void lend(loss_context *context, loss_data *data, const loss_sparse *table)
{
    const int64_t rows = loss_sparse_row_count(table);
    must(context, loss_data_set_sparse_input(data, "features", rows, loss_sparse_column_count(table),
                                             loss_sparse_entry_count(table), loss_sparse_row_offsets(table),
                                             LOSS_INT64, loss_sparse_column_indices(table),
                                             loss_sparse_index_dtype(table), loss_sparse_values(table),
                                             loss_sparse_value_dtype(table)));
    must(context,
         loss_data_set_input(data, "target", loss_sparse_labels(table), LOSS_FLOAT64, rows, 1, 1, 1));
}

static loss_objective *create_objective(loss_context *context, const loss_data *data)
{
    loss_function *function;
    loss_penalty *penalty;
    loss_objective *objective;
    must(context, loss_function_create(&function, context, "logistic"));
    must(context, loss_penalty_create(&penalty, context, "l2"));
    must(context, loss_penalty_set_double(penalty, "strength", 0.05));
    must(context, loss_objective_create_linear(&objective, context, function, data));
    must(context, loss_objective_set_int(objective, "scale_columns", 1));
    must(context, loss_objective_add_penalty(objective, penalty));
    loss_penalty_free(penalty);
    loss_function_free(function);
    return objective;
}

int main(void)
{
    double parameters[COLUMNS + 1] = {0}, weights[COLUMNS], intercept;
    loss_context *context;
    loss_sparse *table;
    loss_data *data;
    loss_optimizer *optimizer;
    must(NULL, loss_context_create(&context));
    must(context, loss_sparse_parse_svmlight(&table, context, text, (int64_t)strlen(text), LOSS_FLOAT64,
                                             LOSS_INT32, 1, COLUMNS));
    must(context, loss_data_create(&data, context));
    lend(context, data, table);
    loss_objective *objective = create_objective(context, data);
    must(context, loss_optimizer_create(&optimizer, context, "trust_region_cg", LOSS_FLOAT64, COLUMNS + 1));
    must(context, loss_optimizer_set_string(optimizer, "preconditioner", "user"));
    const loss_status outcome = must(context, loss_optimizer_minimize(optimizer, objective, parameters));
    printf("%s\n", loss_status_message(outcome));

    must(context, loss_objective_original_parameters(objective, parameters, weights, &intercept));
    for (int j = 0; j < COLUMNS; j++) {
        printf("%-9s %8.4f a standard deviation, %8.4f a unit\n", words[j], parameters[j], weights[j]);
    }
    printf("intercept %8.4f\n", intercept);

    loss_optimizer_free(optimizer);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_sparse_free(table);
    loss_context_free(context);
    return 0;
}

/* Prints:
converged: the gradient is small enough
hair        0.4106 a standard deviation,   0.8329 a unit
feathers    0.1785 a standard deviation,   0.4790 a unit
milk       -1.2699 a standard deviation,  -2.5758 a unit
airborne    0.1799 a standard deviation,   0.4155 a unit
aquatic     1.0528 a standard deviation,   2.1056 a unit
toothed    -0.8467 a standard deviation,  -1.6933 a unit
legs       -0.4016 a standard deviation,  -0.1801 a unit
intercept   1.4825
 */
