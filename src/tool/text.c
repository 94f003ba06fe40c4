/* Text from outside: whether it is UTF-8 (RFC 3629), which JSON and SVG are written in, and what stands for bytes that are not. */
#include "tool.h"

#include <stdlib.h>
#include <string.h>

/* U+FFFD, the replacement character of the Unicode standard. */
static const char replacement[] = "\xef\xbf\xbd";

static int is_within(unsigned char byte, int low, int high)
{
    return byte >= low && byte <= high;
}

/*
 * The bytes of the character that the text begins with, 0 where it begins with none: the table of RFC 3629, which has neither
 * longer forms than needed nor surrogates nor anything above U+10FFFF.
 */
static int character_length(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    if (p[0] < 0x80) {
        return 1;
    }
    const int length = is_within(p[0], 0xc2, 0xdf)   ? 2
                       : is_within(p[0], 0xe0, 0xef) ? 3
                       : is_within(p[0], 0xf0, 0xf4) ? 4
                                                     : 0;
    const int low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    const int high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (length == 0 || !is_within(p[1], low, high)) {
        return 0;
    }
    for (int i = 2; i < length; i++) {
        if (!is_within(p[i], 0x80, 0xbf)) {
            return 0;
        }
    }
    return length;
}

int text_is_utf8(const char *text)
{
    while (*text) {
        const int length = character_length(text);
        if (length == 0) {
            return 0;
        }
        text += length;
    }
    return 1;
}

char *text_to_utf8(const char *text)
{
    char *copy = tool_allocate((int64_t)(strlen(text) * (sizeof replacement - 1)) + 1, 1), *to = copy;
    while (*text) {
        const int length = character_length(text);
        const char *from = length ? text : replacement;
        const size_t size = length ? (size_t)length : sizeof replacement - 1;
        memcpy(to, from, size);
        to += size;
        text += length ? length : 1;
    }
    return copy;
}

char *text_escape(const char *text)
{
    char *copy = tool_allocate(4 * (int64_t)strlen(text) + 1, 1), *to = copy;
    while (*text) {
        const int length = character_length(text);
        if (length == 0) {
            to += sprintf(to, "\\x%02x", (unsigned char)*text++);
        }
        for (int i = 0; i < length; i++) {
            *to++ = *text++;
        }
    }
    return copy;
}

int text_fail(const char *where, const char *what, const char *text)
{
    char *escaped = text_escape(text);
    const int result = tool_fail("%s: %s \"%s\" is not UTF-8; is the file Latin-1? iconv converts it", where,
                                 what, escaped);
    free(escaped);
    return result;
}
