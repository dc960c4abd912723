// Large blocks in every place where an allocator can be called: before main, in a thread, after a
// fork, in an exit handler and in a destructor. Each has a length that nothing else has.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE = 1000001, THREAD = 2000003, CHILD = 3000017, HANDLER = 4000037, LAST = 5000011 };

static void *volatile kept;

static void use(size_t bytes) {
  kept = malloc(bytes);
  if (kept == NULL) abort();
  memset(kept, 1, bytes);
  free(kept);
}

__attribute__((constructor)) static void before(void) { use(BEFORE); }

__attribute__((destructor)) static void last(void) { use(LAST); }

static void handler(void) { use(HANDLER); }

static void *thread(void *nothing) {
  use(THREAD);
  return nothing;
}

int main(void) {
  pthread_t worker;
  if (atexit(handler) != 0) return 1;
  if (pthread_create(&worker, NULL, thread, NULL) != 0) return 1;
  pthread_join(worker, NULL);
  pid_t child = fork();
  if (child == 0) {
    use(CHILD);
    exit(0);
  }
  int status = 1;
  if (waitpid(child, &status, 0) != child || status != 0) return 1;
  puts("ok");
  return 0;
}
