/*
 * Text in LIBSVM format, trained on as it is: sparse features, columns scaled as a view, and the weights told in the columns
 * of the file. Introduces loss_sparse_parse_svmlight() of libloss_io, loss_data_set_sparse_input(),
 * loss_objective_original_parameters().
 */
#include "must.h"

#include <loss/io.h>
#include <string.h>

/* Messages, 1 for unwanted ones: how often they say 1 "free", 2 "meeting", 3 "offer", 4 "report", and 5 their length. */
static const char text[] = "1 1:3 3:2 5:40\n"
                           "1 1:1 3:1 5:25\n"
                           "1 3:4 5:90\n"
                           "1 1:2 5:30\n"
                           "0 2:1 4:2 5:300\n"
                           "0 2:2 5:80\n"
                           "0 1:1 2:1 4:1 5:250\n"
                           "0 4:3 5:500\n";
static const char *const words[] = {"free", "meeting", "offer", "report", "(length)"};

enum { COLUMNS = 5 };

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
free        0.5689 a standard deviation,   0.5401 a unit
meeting    -1.1648 a standard deviation,  -1.6473 a unit
offer       0.6919 a standard deviation,   0.5074 a unit
report     -0.7006 a standard deviation,  -0.6430 a unit
(length)   -0.8727 a standard deviation,  -0.0055 a unit
intercept   1.2718
 */
