/*
 * What a fuzz target is written with: the bytes of an input as a stream of choices, and one way to say that a promise was broken.
 *
 * A target is one file with LLVMFuzzerTestOneInput() (libFuzzer, Serebryany, 2016). With Clang it is driven by libFuzzer, with
 * any other compiler by main.c. An input that has ended goes on as zeros, so that every input means something.
 */
#ifndef LOSS_TEST_FUZZ_H
#define LOSS_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "loss/loss.h"

/* Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Ends the program, with the sentence, when the promise is broken. */
void fuzz_expect(int kept, const char *promise);

/* That a call returned a status there is and, when it failed, that the context says why in a sentence. */
void fuzz_expect_status(const loss_context *context, loss_status status, const char *call);

typedef struct fuzz_stream {
    const uint8_t *bytes;
    size_t length, used;
} fuzz_stream;

uint32_t fuzz_byte(fuzz_stream *s);

/* 0 … limit − 1, for limit ≥ 1; one byte of the input up to 256, two beyond. */
int32_t fuzz_below(fuzz_stream *s, int32_t limit);

/* Of every kind: small whole numbers, fractions, huge, tiny, the special ones, any bits. Half of them are tame. */
double fuzz_number(fuzz_stream *s);
int64_t fuzz_integer(fuzz_stream *s);

/* Up to size − 1 bytes, ended by 0. */
void fuzz_text(fuzz_stream *s, char *text, int32_t size);

/* A name of a list that is asked by index, now and then with a letter changed. Valid until the next call. */
const char *fuzz_name(fuzz_stream *s, int32_t count, const char *(*name)(int32_t index));

/* Elements of a type, read as fuzz_number() or, of integers, as small ones mostly. */
void fuzz_fill(fuzz_stream *s, void *array, loss_dtype dtype, int64_t count);

/* Whether two arrays have the same bits, all NaNs being equal. */
int fuzz_same(const void *a, const void *b, loss_dtype dtype, int64_t count);

/* fuzz_same(), and where it is not so says on stderr what differs first, of the array with this name. */
int fuzz_same_or_say(const char *name, const void *a, const void *b, loss_dtype dtype, int64_t count);

/* Every word that is a name in the catalogues: losses, options, their choices, optimizers, penalties, operations. */
void fuzz_words(void (*each)(void *user, const char *word), void *user);

#endif
