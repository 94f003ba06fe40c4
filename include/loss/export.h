/* Linkage of the public symbols. Nothing here is needed to call libloss from another language. */
#ifndef LOSS_EXPORT_H
#define LOSS_EXPORT_H

#if defined(LOSS_STATIC)
#define LOSS_API
#elif defined(_WIN32)
#ifdef LOSS_BUILDING
#define LOSS_API __declspec(dllexport)
#else
#define LOSS_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define LOSS_API __attribute__((visibility("default")))
#else
#define LOSS_API
#endif

#endif
