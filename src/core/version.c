/* Versions of the library and of its bits. */
#include "loss/version.h"

#define TEXT(number)    #number
#define TEXT_OF(number) TEXT(number)
#define VERSION_TEXT                                                                                         \
    TEXT_OF(LOSS_VERSION_MAJOR) "." TEXT_OF(LOSS_VERSION_MINOR) "." TEXT_OF(LOSS_VERSION_PATCH)

int32_t loss_version(void)
{
    return LOSS_VERSION_NUMBER;
}

const char *loss_version_string(void)
{
    return VERSION_TEXT;
}

int32_t loss_has_blas(void)
{
#ifdef LOSSI_BLAS
    return 1;
#else
    return 0;
#endif
}

int32_t loss_numerics_revision(void)
{
    return 11; /* raised by every change that changes a bit of a result; docs/numerics.md keeps the history */
}
