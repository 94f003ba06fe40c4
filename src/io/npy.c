/*
 * NumPy's .npy files, versions 1, 2 and 3 ("A simple file format for NumPy arrays", NumPy Enhancement Proposal 1, 2007):
 * "\x93NUMPY", two version numbers, the little-endian length of the header (2 bytes in version 1, else 4), the header, the
 * elements. The header is the text of a Python dictionary:
 *
 *   {'descr': '<f8', 'fortran_order': False, 'shape': (569, 30), }
 */
#include "array.h"

#include <string.h>

#define MAGIC "\x93NUMPY"

/* NumPy's own limit to what it reads as a header (numpy.lib.format, max_header_size). */
#define MOST_HEADER 10000

static const struct {
    char text[3]; /* kind and size, after the byte order */
    int64_t size;
    loss_dtype dtype;
} types[] = {
    {"f4", 4, LOSS_FLOAT32}, {"f8", 8, LOSS_FLOAT64}, {"i4", 4, LOSS_INT32},
    {"i8", 8, LOSS_INT64},   {"u1", 1, LOSS_UINT8},
};

/* The header while it is read. */
struct header {
    const struct lossi_io_input *input;
    const char *start, *p, *end;
    int64_t first_byte; /* where in the file it starts */
    loss_status status;
    int has_descr, has_order, has_shape; /* keys seen */
    int is_fortran;
    struct lossi_io_elements elements;
    struct loss_array *array;
};

/* 0, so that a reader can end with it. */
static int fail(struct header *header, loss_status status, const char *what)
{
    header->status = lossi_io_input_fail(header->input, status,
                                         header->first_byte + (header->p - header->start), what);
    return 0;
}

static void skip_blanks(struct header *header)
{
    while (header->p < header->end && (*header->p == ' ' || *header->p == '\t' || *header->p == '\n')) {
        header->p++;
    }
}

/* Steps over that character, with blanks around; 0 when another stands there. */
static int take(struct header *header, char c)
{
    skip_blanks(header);
    if (header->p == header->end || *header->p != c) {
        return 0;
    }
    header->p++;
    skip_blanks(header);
    return 1;
}

static int take_word(struct header *header, const char *word)
{
    const size_t length = strlen(word);
    if ((size_t)(header->end - header->p) < length || memcmp(header->p, word, length) != 0) {
        return 0;
    }
    header->p += length;
    return 1;
}

/* A string in quotes of either kind, without escapes, to text of that size; 0 when there is none or it is longer. */
static int take_string(struct header *header, char *text, size_t size)
{
    skip_blanks(header);
    const char *p = header->p;
    if (p == header->end || (*p != '\'' && *p != '"')) {
        return 0;
    }
    const char quote = *p++;
    size_t length = 0;
    while (p < header->end && *p != quote) {
        if (length + 1 == size || *p == '\\') {
            return 0;
        }
        text[length++] = *p++;
    }
    if (p == header->end) {
        return 0;
    }
    text[length] = '\0';
    header->p = p + 1;
    return 1;
}

static int read_descr(struct header *header)
{
    char text[40];
    if (header->p < header->end && *header->p == '[') {
        return fail(header, LOSS_ERROR_TYPE, "the elements are records of several fields");
    }
    if (!take_string(header, text, sizeof text)) {
        return fail(header, LOSS_ERROR_FORMAT, "the element type is no short string");
    }
    const uint16_t one = 1;
    unsigned char low;
    memcpy(&low, &one, 1);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        /* '<' little, '>' big, '=' of this machine, '|' when there is no order; NumPy writes no other. */
        const int has_order = text[0] && strchr(types[t].size > 1 ? "<>=" : "<>=|", text[0]);
        if (has_order && strcmp(text + 1, types[t].text) == 0) {
            header->array->dtype = types[t].dtype;
            header->elements.size = types[t].size;
            header->elements.is_big = text[0] == '>' || (text[0] == '=' && !low);
            return 1;
        }
    }
    struct lossi_io_message message = {0};
    lossi_io_message_add(&message, "the element type ");
    lossi_io_message_quote(&message, text);
    lossi_io_message_add(&message, " is none of float32, float64, int32, int64 and uint8");
    return fail(header, LOSS_ERROR_TYPE, message.text);
}

static int read_order(struct header *header)
{
    if (take_word(header, "True")) {
        header->is_fortran = 1;
        return 1;
    }
    return take_word(header, "False") ||
           fail(header, LOSS_ERROR_FORMAT, "fortran_order is neither True nor False");
}

static int read_extent(struct header *header, int64_t *extent)
{
    const char *first = header->p;
    *extent = 0;
    for (; header->p < header->end && *header->p >= '0' && *header->p <= '9'; header->p++) {
        const int digit = *header->p - '0';
        if (*extent > (INT64_MAX - digit) / 10) {
            return fail(header, LOSS_ERROR_FORMAT, "the shape has more elements than memory can hold");
        }
        *extent = 10 * *extent + digit;
    }
    if (header->p == first) {
        return fail(header, LOSS_ERROR_FORMAT, "the shape is no list of whole numbers");
    }
    if (header->p < header->end && *header->p == 'L') {
        header->p++; /* Python 2 wrote long integers so */
    }
    return 1;
}

static int read_shape(struct header *header)
{
    struct loss_array *array = header->array;
    if (!take(header, '(')) {
        return fail(header, LOSS_ERROR_FORMAT, "the shape is no list in parentheses");
    }
    int is_ended = take(header, ')');
    while (!is_ended) {
        if (array->dimensions == 2) {
            return fail(header, LOSS_ERROR_SHAPE, "the array has more than 2 dimensions");
        }
        if (!read_extent(header, &array->extents[array->dimensions])) {
            return 0;
        }
        array->dimensions++;
        const int has_comma = take(header, ',');
        is_ended = take(header, ')');
        if (!is_ended && !has_comma) {
            return fail(header, LOSS_ERROR_FORMAT, "the shape is no list of whole numbers");
        }
        /* "(3)" is a number in Python, and no shape. */
        if (is_ended && !has_comma && array->dimensions == 1) {
            return fail(header, LOSS_ERROR_FORMAT, "the shape is no list of whole numbers");
        }
    }
    return array->dimensions > 0 ||
           fail(header, LOSS_ERROR_SHAPE, "the array has no dimensions; it is one number");
}

/* One "key: value" of the dictionary. */
static int read_item(struct header *header)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    int (*const readers[])(struct header *) = {read_descr, read_order, read_shape};
    int *const seen[] = {&header->has_descr, &header->has_order, &header->has_shape};
    char key[20];
    const char *start = header->p;
    if (!take_string(header, key, sizeof key) || !take(header, ':')) {
        return fail(header, LOSS_ERROR_FORMAT,
                    "the header is no dictionary of descr, fortran_order and shape");
    }
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        if (strcmp(key, keys[k]) != 0) {
            continue;
        }
        if (*seen[k]) {
            header->p = start;
            return fail(header, LOSS_ERROR_FORMAT, "a key of the header stands twice");
        }
        *seen[k] = 1;
        return readers[k](header);
    }
    header->p = start;
    return fail(header, LOSS_ERROR_FORMAT, "the header is no dictionary of descr, fortran_order and shape");
}

static int read_dictionary(struct header *header)
{
    if (!take(header, '{')) {
        return fail(header, LOSS_ERROR_FORMAT,
                    "the header is no dictionary of descr, fortran_order and shape");
    }
    while (!take(header, '}')) {
        if (!read_item(header)) {
            return 0;
        }
        if (!take(header, ',') && (header->p == header->end || *header->p != '}')) {
            return fail(header, LOSS_ERROR_FORMAT, "no comma after a value of the header");
        }
    }
    if (header->p != header->end) {
        return fail(header, LOSS_ERROR_FORMAT, "something follows the dictionary of the header");
    }
    if (!header->has_descr || !header->has_order || !header->has_shape) {
        return fail(header, LOSS_ERROR_FORMAT, "the header lacks descr, fortran_order or shape");
    }
    return 1;
}

/* Magic, version and the length of the header. */
static loss_status read_start(struct lossi_io_input *input, int64_t *length)
{
    unsigned char bytes[12];
    const int64_t magic = sizeof MAGIC - 1;
    int64_t got;
    loss_status status = lossi_io_input_read(input, bytes, magic + 2, &got);
    if (status) {
        return status;
    }
    if (memcmp(bytes, MAGIC, (size_t)(got < magic ? got : magic)) != 0) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, 0,
                                   "no .npy file: it does not begin with \\x93NUMPY");
    }
    if (got == magic + 2 && (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)) {
        return lossi_io_input_fail(input, LOSS_ERROR_SUPPORT, magic,
                                   "a version of .npy other than 1.0, 2.0 and 3.0");
    }
    const int64_t width = got == magic + 2 && bytes[6] > 1 ? 4 : 2;
    int64_t more = 0;
    if (got == magic + 2) {
        status = lossi_io_input_read(input, bytes, width, &more);
    }
    if (!status && more < width) {
        status = lossi_io_input_fail_header(input, "an array of NumPy");
    }
    *length = 0;
    for (int64_t i = width - 1; i >= 0 && !status; i--) {
        *length = *length << 8 | bytes[i];
    }
    if (*length > MOST_HEADER) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, magic + 2,
                                   "the header is longer than 10000 bytes");
    }
    return status;
}

loss_status lossi_io_npy_read(struct loss_array *array, struct lossi_io_input *input)
{
    char text[MOST_HEADER];
    int64_t length = 0, got;
    loss_status status = read_start(input, &length);
    struct header header = {
        .input = input, .start = text, .p = text, .first_byte = input->position, .array = array};
    if (!status) {
        status = lossi_io_input_read(input, text, length, &got);
    }
    if (status) {
        return status;
    }
    if (got < length) {
        return lossi_io_input_fail_header(input, "an array of NumPy");
    }
    header.end = text + length;
    if (!read_dictionary(&header)) {
        return header.status;
    }
    status = lossi_io_array_shape(array, input);
    if (!status && header.is_fortran) {
        array->row_stride = 1;
        array->column_stride = array->rows;
    }
    return status ? status : lossi_io_array_elements(array, input, header.elements);
}
