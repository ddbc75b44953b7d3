/*
 * test - the whole harness. One file of TESTs is one program; it prints TAP.
 *
 *   TEST(adds_once) { CHECK(1 + 1 == 2); CHECK_EQ(f(), 3); }
 *
 * A failed CHECK is reported and the test goes on; CHECK yields its condition,
 * so a test that cannot go on says  if (!CHECK(p)) return;
 * An argument picks the tests whose name contains it. SEED=n repeats a run of
 * a test that draws from test_random().
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

#define TEST(name)                                            \
    static void name(void);                                   \
    __attribute__((constructor)) static void name##_add(void) \
    {                                                         \
        test_add(#name, name);                                \
    }                                                         \
    static void name(void)

#define CHECK(cond) test_check((cond), #cond, __FILE__, __LINE__)
#define CHECK_EQ(got, want) \
    test_check_eq((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)
/* A slice against a C string. */
#define CHECK_TEXT(got, want) \
    test_check_text((got), (want), #got, __FILE__, __LINE__)

/* Waits until the condition holds, for 20 seconds at most, and checks that it
 * does. */
#define WAIT_FOR(cond)                                \
    do {                                              \
        uint64_t wait_since = 0;                      \
        while (!(cond) && test_may_wait(&wait_since)) \
            ;                                         \
        CHECK(cond);                                  \
    } while (0)

void test_add(const char *name, void (*run)(void));
bool test_check(bool good, const char *what, const char *file, int line);
bool test_check_eq(intmax_t got, intmax_t want, const char *what,
                   const char *file, int line);
bool test_check_text(struct slice got, const char *want, const char *what,
                     const char *file, int line);

/* A short pause; false when *since, set by the first call, is long ago. */
bool test_may_wait(uint64_t *since);
/* For what time itself decides: idle times, slow parts, the moment of a kill.
 * Nothing may depend on it that WAIT_FOR can see. */
void test_pause_us(uint32_t us);

/* A number below bound. */
uint32_t test_random(uint32_t bound);
uint64_t test_random64(void);

#endif
