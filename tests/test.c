#include "test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TESTS = 256 };

static struct {
    const char *name;
    void (*run)(void);
} tests[MAX_TESTS];

static int test_count;
static bool failed; /* the test that is running */
static uint64_t random_state;

void test_add(const char *name, void (*run)(void))
{
    if (test_count == MAX_TESTS) {
        fprintf(stderr, "more than %d tests in one program\n", MAX_TESTS);
        abort();
    }
    tests[test_count].name = name;
    tests[test_count++].run = run;
}

bool test_check(bool good, const char *what, const char *file, int line)
{
    if (!good) {
        printf("# %s:%d: %s\n", file, line, what);
        failed = true;
    }
    return good;
}

bool test_check_eq(intmax_t got, intmax_t want, const char *what,
                   const char *file, int line)
{
    if (got != want) {
        printf("# %s:%d: %s is %" PRIdMAX ", not %" PRIdMAX "\n", file, line,
               what, got, want);
        failed = true;
    }
    return got == want;
}

bool test_check_text(struct slice got, const char *want, const char *what,
                     const char *file, int line)
{
    bool good = slice_equal(got, slice_of(want));

    if (!good) {
        printf("# %s:%d: %s is \"%.*s\", not \"%s\"\n", file, line, what,
               (int)got.len, got.len ? got.ptr : "", want);
        failed = true;
    }
    return good;
}

void test_pause_us(uint32_t us)
{
    struct timespec pause = {us / 1000000, (long)(us % 1000000) * 1000};

    while (nanosleep(&pause, &pause) != 0)
        ;
}

bool test_may_wait(uint64_t *since)
{
    struct timespec t;
    uint64_t now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    if (*since == 0)
        *since = now;
    test_pause_us(now - *since < 10000000 ? 50 : 1000);
    return now - *since < UINT64_C(20000000000);
}

uint64_t test_random64(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t test_random(uint32_t bound)
{
    return (uint32_t)((test_random64() >> 32) * bound >> 32);
}

int main(int argc, char **argv)
{
    const char *seed = getenv("SEED");
    int number = 0, bad = 0;

    random_state = seed ? strtoull(seed, NULL, 0)
                        : (uint64_t)time(NULL) * UINT64_C(2654435761);
    printf("# SEED=%" PRIu64 "\n", random_state);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash loses no line */
    for (int i = 0; i < test_count; i++) {
        if (argc > 1 && !strstr(tests[i].name, argv[1]))
            continue;
        failed = false;
        tests[i].run();
        bad += failed;
        printf("%sok %d - %s\n", failed ? "not " : "", ++number, tests[i].name);
    }
    printf("1..%d\n", number);
    return bad > 0;
}
