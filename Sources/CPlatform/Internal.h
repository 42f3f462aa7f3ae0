#ifndef C_PLATFORM_INTERNAL_H
#define C_PLATFORM_INTERNAL_H

#define _GNU_SOURCE

#include <errno.h>

#include "CPlatform.h"

/// What a call returned, with -errno in the place of -1.
static inline int kho_result(int value) { return value < 0 ? -errno : value; }

#endif
