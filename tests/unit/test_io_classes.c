/* Classes of a column: their order and names, labels, and what is no class. */
#include "io_table.h"

static void test_classes(void **state)
{
    (void)state;
    loss_table *table = parse_text("10,b\n2.0,a\n1e1,b\n-0,c\n0,\"a\"\n+2,B\n", 0);
    loss_classes *classes = NULL;
    int64_t labels[12];
    assert_int_equal(loss_classes_create(&classes, context, table, 0), LOSS_OK);
    assert_int_equal(loss_classes_count(classes), 3);
    assert_string_equal(loss_classes_name(classes, 0), "0"); /* by number: "10" after "2" */
    assert_string_equal(loss_classes_name(classes, 1), "2");
    assert_string_equal(loss_classes_name(classes, 2), "10");
    assert_null(loss_classes_name(classes, 3));
    assert_null(loss_classes_name(classes, -1));
    assert_int_equal(loss_classes_get_labels(classes, context, table, 0, labels, 2), LOSS_OK);
    static const int64_t expected[] = {2, 1, 2, 0, 0, 1};
    for (int r = 0; r < 6; r++) {
        assert_int_equal(labels[2 * r], expected[r]);
    }
    labels[0] = -3;
    assert_int_equal(loss_classes_get_labels(classes, context, table, 1, labels, 1), LOSS_ERROR_LABEL);
    assert_string_equal(loss_context_error(context), "line 1, column 2: \"b\" is none of the 3 classes");
    assert_int_equal(labels[0], -3);
    loss_classes_free(classes);
    assert_int_equal(loss_classes_create(&classes, context, table, 1), LOSS_OK);
    assert_int_equal(loss_classes_count(classes), 4);
    assert_string_equal(loss_classes_name(classes, 0), "B"); /* by byte: capitals first */
    assert_string_equal(loss_classes_name(classes, 1), "a");
    loss_classes_free(classes);
    assert_int_equal(loss_classes_create(&classes, context, table, 2), LOSS_ERROR_ARGUMENT);
    assert_null(classes);
    loss_table_free(table);
    loss_classes_free(NULL);
    assert_int_equal(loss_classes_count(NULL), 0);
}

/* What a double stands for is more than one whole number from 2^53 on: such are never one class. */
static void test_classes_beyond_doubles(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"9007199254740993\n9007199254740992\n", "line 1, column 1: \"9007199254740993\" is no class: "},
        {"7\n-9007199254740992\n", "line 2, column 1: \"-9007199254740992\" is no class: "},
        {"7\n1e400\n", "line 2, column 1: \"1e400\" is no class: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        loss_classes *classes = NULL;
        loss_table *table = parse_text(cases[i].text, 0);
        assert_int_equal(loss_classes_create(&classes, context, table, 0), LOSS_ERROR_FORMAT);
        assert_null(classes);
        if (strncmp(loss_context_error(context), cases[i].sentence, strlen(cases[i].sentence)) != 0) {
            fail_msg("%s", loss_context_error(context));
        }
        loss_table_free(table);
    }
    /* Text keeps them apart, and so do names given. */
    const char *names[] = {"9007199254740993", "9007199254740992", "9007199254740991"};
    int64_t labels[3];
    loss_classes *classes = NULL;
    loss_table *table = parse_text(
        "9007199254740992,id9007199254740992\n9007199254740993,id9007199254740993\n"
        "9007199254740991,x\n",
        0);
    assert_int_equal(loss_classes_create(&classes, context, table, 1), LOSS_OK);
    assert_int_equal(loss_classes_count(classes), 3);
    loss_classes_free(classes);
    assert_int_equal(loss_classes_create_named(&classes, context, 3, names), LOSS_OK);
    assert_int_equal(loss_classes_get_labels(classes, context, table, 0, labels, 1), LOSS_OK);
    assert_true(labels[0] == 1 && labels[1] == 0 && labels[2] == 2);
    loss_classes_free(classes);
    loss_table_free(table);
}

static void test_named_classes(void **state)
{
    (void)state;
    const char *names[] = {"malignant", "benign", "unsure", "benign"};
    loss_classes *classes = NULL;
    int64_t labels[2];
    loss_table *table = parse_text("unsure\nmalignant\n", 0);
    assert_int_equal(loss_classes_create_named(&classes, context, 3, names), LOSS_OK);
    assert_string_equal(loss_classes_name(classes, 0), "malignant"); /* the order given */
    assert_int_equal(loss_classes_get_labels(classes, context, table, 0, labels, 1), LOSS_OK);
    assert_true(labels[0] == 2 && labels[1] == 0);
    loss_classes_free(classes);
    assert_int_equal(loss_classes_create_named(&classes, context, 4, names), LOSS_ERROR_NAME);
    assert_string_equal(loss_context_error(context), "two classes are named \"benign\"");
    assert_null(classes);
    names[1] = NULL;
    assert_int_equal(loss_classes_create_named(&classes, context, 3, names), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_classes_create_named(&classes, context, 0, names), LOSS_ERROR_ARGUMENT);
    loss_table_free(table);
}

static void test_no_class(void **state)
{
    (void)state;
    loss_classes *classes = NULL;
    loss_table *table = parse_text("a,b\nx,1\n\"\",nan\n", 1);
    assert_int_equal(loss_classes_create(&classes, context, table, 0), LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context), "line 3, column 1 (\"a\"): an empty field is no class");
    assert_int_equal(loss_classes_create(&classes, context, table, 1), LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context), "line 3, column 2 (\"b\"): \"nan\" is no class");
    loss_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_classes_beyond_doubles),
        cmocka_unit_test(test_named_classes),
        cmocka_unit_test(test_no_class),
    };
    return cmocka_run_group_tests_name("io_classes", tests, setup, teardown);
}
