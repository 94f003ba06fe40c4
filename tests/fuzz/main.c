/*
 * Drives a fuzz target where there is no libFuzzer: the inputs of a corpus first, then inputs made of them by chance.
 *
 *     fuzz_formula [--runs N] [--seed S] [file or directory …]
 *
 * The changes are those of libFuzzer: bits, bytes, ranges, words of the catalogues. It looks at no coverage: it replays what a
 * coverage-guided search found, and keeps the targets alive. Runs and seed make the inputs: a failure can be had again. An input
 * that ends the program is left in the file crash-<program>.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 4096, MOST_INPUTS = 512, MOST_WORDS = 2048, START_BYTES = 600 };

typedef struct input {
    uint8_t *bytes;
    size_t length;
} input;

static input corpus[MOST_INPUTS];
static int32_t corpus_count;
static char *words[MOST_WORDS];
static int32_t word_count;

/* The input that is being tried, for the handler of signals. */
static uint8_t current[MOST_BYTES];
static size_t current_length;
static char crash_path[256];

/* ---- chance ---- */

static uint64_t state;

/* SplitMix64 (Steele, Lea & Flood, 2014). */
static uint64_t chance(uint64_t limit)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % limit;
}

/* ---- inputs ---- */

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    if (corpus_count < MOST_INPUTS) {
        input *in = &corpus[corpus_count++];
        in->bytes = malloc(MOST_BYTES);
        fuzz_expect(in->bytes != NULL, "there is memory for the corpus");
        in->length = fread(in->bytes, 1, MOST_BYTES, file);
    }
    fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files of a directory in the order of their names, which is the same everywhere. */
static void add(const char *path)
{
    struct stat about;
    struct dirent **entries = NULL;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode)) {
        add_file(path);
        return;
    }
    const int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            add_file(name);
        }
        free(entries[i]);
    }
    free(entries);
}

static void keep_word(void *user, const char *word)
{
    (void)user;
    if (word_count < MOST_WORDS) {
        words[word_count] = strdup(word);
        word_count += words[word_count] != NULL;
    }
}

/* ---- changes ---- */

/* Puts bytes into the place of `removed` bytes at `at`; what goes beyond the most is cut off. */
static void replace(size_t at, size_t removed, const void *bytes, size_t count)
{
    const size_t after = at + removed < current_length ? current_length - at - removed : 0;
    if (at + count + after > MOST_BYTES) {
        return;
    }
    memmove(current + at + count, current + at + removed, after);
    memcpy(current + at, bytes, count);
    current_length = at + count + after;
}

static void change_byte(size_t at)
{
    static const uint8_t special[] = {0,   1,   0x7f, 0x80, 0xff, '0', '9', '-',
                                      '.', 'e', '\n', ',',  '(',  ')', ' ', ':'};
    if (current_length == 0) {
        return;
    }
    switch (chance(3)) {
    case 0:
        current[at] ^= (uint8_t)(1u << chance(8));
        break;
    case 1:
        current[at] = special[chance(sizeof special)];
        break;
    default:
        current[at] = (uint8_t)chance(256);
    }
}

static void change(void)
{
    uint8_t piece[64];
    const size_t at = (size_t)chance(current_length + 1), rest = current_length - at;
    const size_t length = (size_t)chance(sizeof piece);
    const size_t some = length < rest ? length : rest;
    switch (chance(6)) {
    case 0: /* without a range */
        replace(at, some, piece, 0);
        break;
    case 1: /* a range once more */
        memcpy(piece, current + at, some);
        replace((size_t)chance(current_length + 1), 0, piece, some);
        break;
    case 2:
        if (word_count > 0) {
            const char *word = words[chance((uint64_t)word_count)];
            replace(at, (size_t)chance(2) * some, word, strlen(word));
        }
        break;
    case 3:
        for (size_t i = 0; i < length; i++) {
            piece[i] = (uint8_t)chance(256);
        }
        replace(at, (size_t)chance(2) * some, piece, length);
        break;
    default:
        change_byte(at < current_length ? at : 0);
    }
}

static void make(void)
{
    if (corpus_count == 0 || chance(4) == 0) {
        current_length = (size_t)chance(START_BYTES);
        for (size_t i = 0; i < current_length; i++) {
            current[i] = (uint8_t)chance(256);
        }
    } else {
        const input *in = &corpus[chance((uint64_t)corpus_count)];
        memcpy(current, in->bytes, in->length);
        current_length = in->length;
    }
    for (uint64_t k = 1 + chance(8); k > 0; k--) {
        change();
    }
}

/* ---- running ---- */

/* Only what may be called in a handler of signals. */
static void leave_input(int number)
{
    const int file = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || write(file, current, current_length) != (ssize_t)current_length) {
        static const char sorry[] = "the input could not be written\n";
        (void)!write(2, sorry, sizeof sorry - 1);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void watch(const char *program)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    const char *slash = strrchr(program, '/');
    snprintf(crash_path, sizeof crash_path, "crash-%s", slash == NULL ? program : slash + 1);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        signal(numbers[i], leave_input);
    }
}

enum { SECONDS_AN_INPUT = 60 };

static void try_current(void)
{
    /* bytes of their own, so that a sanitizer sees what is read beyond them */
    uint8_t *copy = malloc(current_length + (current_length == 0));
    fuzz_expect(copy != NULL, "there is memory for an input");
    memcpy(copy, current, current_length);
    alarm(SECONDS_AN_INPUT);
    LLVMFuzzerTestOneInput(copy, current_length);
    free(copy);
}

int main(int count, char **arguments)
{
    long runs = 1000;
    watch(arguments[0]);
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--runs") == 0 && i + 1 < count) {
            runs = strtol(arguments[++i], NULL, 10);
        } else if (strcmp(arguments[i], "--seed") == 0 && i + 1 < count) {
            state = strtoull(arguments[++i], NULL, 10);
        } else {
            add(arguments[i]);
        }
    }
    fuzz_words(keep_word, NULL);
    for (int32_t i = 0; i < corpus_count; i++) {
        memcpy(current, corpus[i].bytes, corpus[i].length);
        current_length = corpus[i].length;
        try_current();
    }
    for (long i = 0; i < runs; i++) {
        make();
        try_current();
    }
    printf("%d inputs of the corpus and %ld made of them\n", (int)corpus_count, runs);
    return 0;
}
