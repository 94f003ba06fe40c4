/*
 * What other libraries call the losses of the catalogue: each name, written as names are here, finds the loss it is there.
 * A loss that a library has and the catalogue has not is not listed; what differs beside the name, the row's text says.
 */
#include <string.h>

#include "support/check.h"

#include "loss/loss.h"

/* A library, a loss of the catalogue, and the names it has there. */
typedef struct home_name {
    const char *home, *loss, *names; /* names: separated by spaces */
} home_name;

static const home_name of_pytorch[] = {
    {"torch.nn", "absolute_error", "l1_loss"},
    {"torch.nn", "squared_error", "mse_loss"},
    {"torch.nn", "cross_entropy", "cross_entropy_loss cross_entropy nll_loss"},
    {"torch.nn", "ctc", "ctc_loss"},
    {"torch.nn", "poisson", "poisson_nll_loss"},
    {"torch.nn", "gaussian_nll", "gaussian_nll_loss"},
    {"torch.nn", "kullback_leibler", "kl_div_loss kl_div"},
    {"torch.nn", "binary_cross_entropy", "bce_loss binary_cross_entropy"},
    {"torch.nn", "logistic", "bce_with_logits_loss binary_cross_entropy_with_logits"},
    {"torch.nn", "margin_ranking", "margin_ranking_loss"},
    {"torch.nn", "hinge_embedding", "hinge_embedding_loss"},
    {"torch.nn", "multilabel_margin", "multi_label_margin_loss multilabel_margin_loss"},
    {"torch.nn", "huber", "huber_loss"},
    {"torch.nn", "smooth_l1", "smooth_l1_loss"},
    {"torch.nn", "soft_margin", "soft_margin_loss"},
    {"torch.nn", "multilabel_soft_margin", "multi_label_soft_margin_loss multilabel_soft_margin_loss"},
    {"torch.nn", "cosine_embedding", "cosine_embedding_loss"},
    {"torch.nn", "multi_margin", "multi_margin_loss"},
    {"torch.nn", "triplet", "triplet_margin_loss triplet_margin_with_distance_loss"},
    {"torch.nn", "linear_cross_entropy", "linear_cross_entropy"},
    {"torchvision.ops", "focal", "sigmoid_focal_loss"},
    {"torchvision.ops", "generalized_intersection_over_union", "generalized_box_iou_loss"},
    {"torchvision.ops", "distance_intersection_over_union", "distance_box_iou_loss"},
    {"torchvision.ops", "complete_intersection_over_union", "complete_box_iou_loss"},
};

static const home_name of_keras[] = {
    {"Keras", "binary_cross_entropy", "binary_crossentropy"},
    {"Keras", "focal", "binary_focal_crossentropy"},
    {"Keras", "ctc", "ctc"},
    {"Keras", "cross_entropy", "categorical_crossentropy sparse_categorical_crossentropy"},
    {"Keras", "softmax_focal", "categorical_focal_crossentropy"},
    {"Keras", "generalized_cross_entropy", "categorical_generalized_cross_entropy"},
    {"Keras", "categorical_hinge", "categorical_hinge"},
    {"Keras", "cosine_embedding", "cosine_similarity"},
    {"Keras", "soft_dice", "dice"},
    {"Keras", "hinge", "hinge"},
    {"Keras", "huber", "huber"},
    {"Keras", "kullback_leibler", "kl_divergence kullback_leibler_divergence"},
    {"Keras", "log_cosh", "log_cosh logcosh"},
    {"Keras", "absolute_error", "mean_absolute_error mae"},
    {"Keras", "absolute_percentage_error", "mean_absolute_percentage_error mape"},
    {"Keras", "squared_error", "mean_squared_error mse"},
    {"Keras", "squared_logarithmic_error", "mean_squared_logarithmic_error msle"},
    {"Keras", "poisson", "poisson"},
    {"Keras", "squared_hinge", "squared_hinge"},
    {"Keras", "tversky", "tversky"},
};

static const home_name of_scikit_learn[] = {
    {"scikit-learn", "squared_error", "squared_error mean_squared_error"},
    {"scikit-learn", "absolute_error", "absolute_error mean_absolute_error"},
    {"scikit-learn", "absolute_percentage_error", "mean_absolute_percentage_error"},
    {"scikit-learn", "squared_logarithmic_error", "mean_squared_log_error"},
    {"scikit-learn", "quantile", "pinball_loss mean_pinball_loss quantile"},
    {"scikit-learn", "huber", "huber_loss huber"},
    {"scikit-learn", "poisson", "half_poisson_loss mean_poisson_deviance poisson"},
    {"scikit-learn", "gamma", "half_gamma_loss mean_gamma_deviance gamma"},
    {"scikit-learn", "tweedie", "half_tweedie_loss mean_tweedie_deviance"},
    {"scikit-learn", "logistic", "half_binomial_loss log_loss"},
    {"scikit-learn", "cross_entropy", "half_multinomial_loss"},
    {"scikit-learn", "exponential", "exponential_loss exponential"},
    {"scikit-learn", "hinge", "hinge_loss hinge"},
    {"scikit-learn", "squared_hinge", "squared_hinge"},
    {"scikit-learn", "modified_huber", "modified_huber"},
    {"scikit-learn", "perceptron", "perceptron"},
    {"scikit-learn", "epsilon_insensitive", "epsilon_insensitive"},
    {"scikit-learn", "squared_epsilon_insensitive", "squared_epsilon_insensitive"},
};

static const home_name of_boosting[] = {
    {"XGBoost", "squared_error", "reg_squarederror"},
    {"XGBoost", "squared_logarithmic_error", "reg_squaredlogerror"},
    {"XGBoost", "pseudo_huber", "reg_pseudohubererror"},
    {"XGBoost", "absolute_error", "reg_absoluteerror"},
    {"XGBoost", "quantile", "reg_quantileerror"},
    {"XGBoost", "expectile", "reg_expectileerror"},
    {"XGBoost", "logistic", "reg_logistic binary_logistic binary_logitraw"},
    {"XGBoost", "hinge", "binary_hinge"},
    {"XGBoost", "poisson", "count_poisson"},
    {"XGBoost", "gamma", "reg_gamma"},
    {"XGBoost", "tweedie", "reg_tweedie"},
    {"XGBoost", "cox", "survival_cox"},
    {"XGBoost", "accelerated_failure_time", "survival_aft"},
    {"XGBoost", "cross_entropy", "multi_softmax multi_softprob"},
    {"XGBoost", "lambda_rank", "rank_ndcg"},
    {"XGBoost", "rank_net", "rank_pairwise"},
    {"LightGBM", "squared_error", "regression regression_l2 l2 mean_squared_error mse rmse"},
    {"LightGBM", "absolute_error", "regression_l1 l1 mean_absolute_error mae"},
    {"LightGBM", "absolute_percentage_error", "mape"},
    {"LightGBM", "fair", "fair"},
    {"LightGBM", "logistic", "binary multiclassova xentropy"},
    {"LightGBM", "cross_entropy", "multiclass"},
    {"LightGBM", "intensity_cross_entropy", "cross_entropy_lambda xentlambda"},
    {"LightGBM", "lambda_rank", "lambdarank"},
    {"CatBoost", "squared_error", "rmse multi_rmse"},
    {"CatBoost", "power_error", "lq"},
    {"CatBoost", "gaussian_nll", "rmse_with_uncertainty"},
    {"CatBoost", "logistic", "logloss multi_class_one_vs_all"},
    {"CatBoost", "multilabel_soft_margin", "multi_logloss multi_cross_entropy"},
    {"CatBoost", "cross_entropy", "multi_class"},
    {"CatBoost", "rank_net", "pair_logit"},
    {"CatBoost", "list_net", "query_softmax"},
    {"CatBoost", "lambda_rank", "lambda_mart"},
};

static int32_t find_all(loss_context *context, const home_name *rows, size_t count)
{
    int32_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *rest = rows[i].names; *rest != '\0'; rest += strspn(rest, " ")) {
            char name[64] = "";
            loss_function *function = NULL;
            const size_t length = strcspn(rest, " ");
            assert_true(length < sizeof name);
            memcpy(name, rest, length);
            rest += length;
            const loss_status status = loss_function_create(&function, context, name);
            if (status != LOSS_OK || strcmp(loss_function_name(function), rows[i].loss) != 0) {
                print_error("%s calls %s '%s', which is %s\n", rows[i].home, rows[i].loss, name,
                            status == LOSS_OK ? loss_function_name(function) : "nothing");
                missing++;
            }
            loss_function_free(function);
        }
    }
    return missing;
}

static void test_names(void **state)
{
    int32_t missing = 0;
    missing += find_all(*state, of_pytorch, sizeof of_pytorch / sizeof *of_pytorch);
    missing += find_all(*state, of_keras, sizeof of_keras / sizeof *of_keras);
    missing += find_all(*state, of_scikit_learn, sizeof of_scikit_learn / sizeof *of_scikit_learn);
    missing += find_all(*state, of_boosting, sizeof of_boosting / sizeof *of_boosting);
    assert_int_equal(missing, 0);
}

/* A name that says half is not one of the whole square. */
static void test_half_is_no_whole(void **state)
{
    loss_function *function;
    assert_status(*state, loss_function_create(&function, *state, "half_squared_error"), LOSS_ERROR_NAME);
    assert_sentence(*state, "'squared_error'");
    assert_null(function);
}

/* A choice in another library's word is the choice, and is told by its own; other words are none. */
static void test_words(void **state)
{
    static const struct {
        const char *loss, *option, *alias, *word, *choice;
    } cases[] = {
        {"poisson_nll_loss", "link", "log_input", "true", "log"},
        {"poisson_nll_loss", "link", "log_input", "false", "identity"},
        {"poisson", "link", "link", "false", "identity"},
        {"kl_div", "target_input", "log_target", "true", "log_probabilities"},
        {"kl_div", "target_input", "log_target", "false", "probabilities"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *chosen = NULL;
        loss_function *function = NULL;
        assert_status(*state, loss_function_create(&function, *state, cases[i].loss), LOSS_OK);
        assert_status(*state, loss_function_set_string(function, cases[i].alias, cases[i].word), LOSS_OK);
        assert_status(*state, loss_function_get_string(function, cases[i].option, &chosen), LOSS_OK);
        assert_string_equal(chosen, cases[i].choice);
        assert_status(*state, loss_function_set_string(function, cases[i].alias, "tru"), LOSS_ERROR_RANGE);
        assert_sentence(*state, "one of");
        assert_status(*state, loss_function_set_string(function, cases[i].alias, ""), LOSS_ERROR_RANGE);
        assert_status(*state, loss_function_set_string(function, cases[i].alias, "true|false"),
                      LOSS_ERROR_RANGE);
        assert_status(*state, loss_function_get_string(function, cases[i].alias, &chosen), LOSS_OK);
        assert_string_equal(chosen, cases[i].choice);
        loss_function_free(function);
    }
}

static int create(void **state)
{
    return loss_context_create((loss_context **)state);
}

static int destroy(void **state)
{
    loss_context_free(*state);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_words),
                                              cmocka_unit_test(test_half_is_no_whole)};
    return cmocka_run_group_tests_name("loss_names", tests, create, destroy);
}
