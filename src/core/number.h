/* Numbers in text, for the core: what libloss_io reads from files is its own. */
#ifndef LOSSI_CORE_NUMBER_H
#define LOSSI_CORE_NUMBER_H

/*
 * Where the decimal number that begins at text ends, digits with a point and an exponent perhaps, without a sign; text itself
 * when there is none. *value is the double next to it, whatever the locale, infinite beyond the largest. end: of the text.
 */
const char *lossi_read_number(const char *text, const char *end, double *value);

#endif
