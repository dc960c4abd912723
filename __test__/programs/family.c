// Every function of the malloc family, at sizes on both sides of 64 KiB; of musl, those that it has.
// Prints "ok", or what was expected and found.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const size_t SIZES[] = {1, 1000, 65535, 65536, 65537, 100000, 1 << 20, 5000001, 32 << 20};
static void *before_main;

#define EXPECT(condition)                                              \
  do {                                                                 \
    if (!(condition)) {                                                \
      printf("line %d: expected %s\n", __LINE__, #condition);          \
      fflush(stdout);                                                  \
      _Exit(1);                                                        \
    }                                                                  \
  } while (0)

static void fill(unsigned char *block, size_t bytes, unsigned char seed) {
  for (size_t at = 0; at < bytes; at++) block[at] = (unsigned char)(seed + at * 31);
}

static int holds(const unsigned char *block, size_t bytes, unsigned char seed) {
  for (size_t at = 0; at < bytes; at++)
    if (block[at] != (unsigned char)(seed + at * 31)) return 0;
  return 1;
}

static int is_zero(const unsigned char *block, size_t bytes) {
  for (size_t at = 0; at < bytes; at++)
    if (block[at]) return 0;
  return 1;
}

__attribute__((constructor)) static void allocate_before_main(void) {
  before_main = malloc(1 << 20);
  memset(before_main, 1, 1 << 20);
}

static void allocate_at_exit(void) {
  free(before_main);
  free(malloc(3 << 20));
}

static void sizes(void) {
  for (size_t index = 0; index < LENGTH(SIZES); index++) {
    size_t bytes = SIZES[index];
    unsigned char *block = malloc(bytes);
    EXPECT(block && (uintptr_t)block % 16 == 0);
    EXPECT(malloc_usable_size(block) >= bytes);
    // All that is usable may be used.
    memset(block, 0xff, malloc_usable_size(block));
    errno = 77;
    free(block);
    EXPECT(errno == 77);
    block = calloc(bytes, 1);
    EXPECT(block && is_zero(block, bytes));
    memset(block, 0xff, bytes);
    free(block);
  }
  free(malloc(0));
  free(NULL);
  EXPECT(malloc_usable_size(NULL) == 0);
}

static void moves(void) {
  for (size_t from = 0; from < LENGTH(SIZES); from++)
    for (size_t to = 0; to < LENGTH(SIZES); to++) {
      size_t common = SIZES[from] < SIZES[to] ? SIZES[from] : SIZES[to];
      unsigned char *block = realloc(NULL, SIZES[from]);
      fill(block, SIZES[from], 5);
      block = realloc(block, SIZES[to]);
      EXPECT(block && holds(block, common, 5));
      fill(block, SIZES[to], 9);
      block = reallocarray(block, SIZES[from], 1);
      EXPECT(block && holds(block, common, 9));
#ifdef __GLIBC__
      EXPECT(realloc(block, 0) == NULL);
#else
      block = realloc(block, 0);
      EXPECT(block != NULL);
      free(block);
#endif
    }
}

static void alignments(void) {
  for (size_t align = 16; align <= 4 << 20; align *= 2)
    for (size_t index = 0; index < LENGTH(SIZES) - 1; index++) {
      void *blocks[4] = {0};
      EXPECT(posix_memalign(&blocks[0], align, SIZES[index]) == 0);
      blocks[1] = aligned_alloc(align, SIZES[index]);
      blocks[2] = memalign(align, SIZES[index]);
      blocks[3] = valloc(SIZES[index]);
      for (int at = 0; at < 4; at++) {
        EXPECT(blocks[at] && (uintptr_t)blocks[at] % (at < 3 ? align : 4096) == 0);
        memset(blocks[at], at, SIZES[index]);
      }
      for (int at = 0; at < 4; at++) free(blocks[at]);
    }
#ifdef __GLIBC__
  void *block = pvalloc(70000);
  EXPECT(block && malloc_usable_size(block) >= 73728);
  free(block);
#endif
}

static void refusals(void) {
  void *block = NULL;
  errno = 0;
  EXPECT(malloc(SIZE_MAX / 2) == NULL && errno == ENOMEM);
  errno = 0;
  EXPECT(calloc(SIZE_MAX / 2, 4) == NULL && errno == ENOMEM);
  block = malloc(100000);
  fill(block, 100000, 3);
  errno = 0;
  EXPECT(reallocarray(block, SIZE_MAX / 2, 4) == NULL && errno == ENOMEM);
  errno = 0;
  EXPECT(realloc(block, SIZE_MAX / 2) == NULL && errno == ENOMEM);
  EXPECT(holds(block, 100000, 3));
  free(block);
  errno = 77;
  EXPECT(posix_memalign(&block, 24, 100000) == EINVAL && errno == 77);
  EXPECT(posix_memalign(&block, 64, SIZE_MAX / 2) == ENOMEM && errno == 77);
}

static void *work(void *seed) {
  unsigned char mark = (unsigned char)(uintptr_t)seed;
  for (int round = 0; round < 200; round++) {
    size_t bytes = SIZES[round % 7];
    unsigned char *block = malloc(bytes);
    EXPECT(block);
    fill(block, bytes, mark);
    block = realloc(block, bytes * 2);
    EXPECT(block && holds(block, bytes, mark));
    free(block);
  }
  return NULL;
}

static void threads_and_forks(void) {
  pthread_t threads[8];
  for (uintptr_t at = 0; at < 8; at++) EXPECT(!pthread_create(&threads[at], NULL, work, (void *)at));
  for (int round = 0; round < 50; round++) {
    pid_t child = fork();
    EXPECT(child >= 0);
    if (!child) {
      unsigned char *block = calloc(1, 200000);
      _exit(block && is_zero(block, 200000) ? 0 : 1);
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
  for (int at = 0; at < 8; at++) pthread_join(threads[at], NULL);
}

static void libraries(void) {
  void *library = dlopen("libm.so.6", RTLD_NOW);
  EXPECT(library && dlsym(library, "cos"));
  EXPECT(dlclose(library) == 0);
}

int main(void) {
  atexit(allocate_at_exit);
  sizes();
  moves();
  alignments();
  refusals();
  threads_and_forks();
  libraries();
#ifdef __GLIBC__
  EXPECT(malloc_trim(0) >= 0);
#endif
  EXPECT(holds(before_main, 0, 0) && ((unsigned char *)before_main)[1 << 19] == 1);
  puts("ok");
  return 0;
}
