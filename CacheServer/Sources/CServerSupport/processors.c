#define _GNU_SOURCE

#include "CServerSupport.h"

#include <sched.h>

int cs_processor_count(void) {
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) < 0 ? 1 : CPU_COUNT(&processors);
}
