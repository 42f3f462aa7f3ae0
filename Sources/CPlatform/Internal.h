#ifndef C_PLATFORM_INTERNAL_H
#define C_PLATFORM_INTERNAL_H

#define _GNU_SOURCE

#include <errno.h>

#include "CPlatform.h"

// Younger than some C libraries; the numbers are the same on every architecture.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The sanitizer's own clone(2) ends a process that has threads of its own.
#define IS_WATCHED_FOR_RACES 1
#endif
#endif

/// For functions that run on a stack that the sanitizers do not know.
#define NO_SANITIZE __attribute__((no_sanitize("address")))

/// What a call returned, with -errno in the place of -1.
static inline int kho_result(int value) { return value < 0 ? -errno : value; }

#endif
