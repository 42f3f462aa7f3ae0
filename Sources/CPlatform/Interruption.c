#include "Internal.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// What the handlers use. It is written with the signals blocked, by a program of one thread.
static char message[4096];
static char temporary[4096];
static char bus_message[4096];
static int bus_status;

static const int interruptions[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTION_COUNT = sizeof interruptions / sizeof *interruptions };

static void say(const char *text) {
  // There is nothing to do about a failure.
  ssize_t count = write(STDERR_FILENO, text, strlen(text));
  (void)count;
}

static void interrupted(int number) {
  if (*temporary != 0) unlink(temporary);
  say(message);
  // The process ends as it would have without a handler, so that its parent sees why.
  signal(number, SIG_DFL);
  raise(number);
}

static void cut_short(int number) {
  (void)number;
  if (*temporary != 0) unlink(temporary);
  say(bus_message);
  _exit(bus_status);
}

static void copy(char *target, size_t capacity, const char *source) {
  size_t count = strlen(source);
  // A message that is cut is better than none; a path that is cut is another file.
  if (count >= capacity) count = target == temporary ? 0 : capacity - 1;
  memcpy(target, source, count);
  target[count] = 0;
}

static void with_signals_blocked(char *first, const char *one, char *second, const char *other) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  copy(first, sizeof message, one);
  if (second != NULL) copy(second, sizeof temporary, other);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void kho_note_interruption(const char *text, const char *temporary_path) {
  with_signals_blocked(message, text, temporary, temporary_path);
}

void kho_catch_interruptions(void) {
  struct sigaction action;
  for (int index = 0; index < INTERRUPTION_COUNT; index++) {
    // A program that is started with nohup(1) ignores SIGHUP.
    if (sigaction(interruptions[index], NULL, &action) < 0 || action.sa_handler == SIG_IGN) continue;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupted;
    sigaction(interruptions[index], &action, NULL);
  }
}

void kho_explain_bus_errors(const char *text, int status) {
  with_signals_blocked(bus_message, text, NULL, NULL);
  bus_status = status;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = cut_short;
  sigaction(SIGBUS, &action, NULL);
}

void kho_ignore_size_limit_signal(void) { signal(SIGXFSZ, SIG_IGN); }
