/*
 * fault_work - a run for each number from 1 to many, in several processes.
 */
#ifndef FAULT_WORK_H
#define FAULT_WORK_H

#include <sys/wait.h>

#include "fault_kit.h"

/* They mostly wait for a disk that has to recover, so several at a time; and a
 * crash is one that fails, not the end of all. */
enum { WORKERS = 6 };

static inline bool nightly(void)
{
    return getenv("NIGHTLY") != NULL;
}

struct work {
    int kind;
    bool power;
    char dir[64], copy[64]; /* of the worker, empty */
};

static inline bool work_all(bool (*run)(unsigned n, const struct work *work),
                            struct work work, unsigned first, unsigned count)
{
    bool good = true;

    temp_make(work.dir);
    temp_make(work.copy);
    for (unsigned n = first; n <= count && good; n += WORKERS) {
        good = run(n, &work);
        if (!good)
            printf("# that was call %u of %u\n", n, count);
        temp_empty(work.dir);
        temp_empty(work.copy);
    }
    temp_remove(work.dir);
    temp_remove(work.copy);
    return good;
}

static inline void in_workers(bool (*run)(unsigned n, const struct work *work),
                              struct work work, unsigned count)
{
    pid_t workers[WORKERS];

    fflush(stdout); /* or each worker has it too */
    for (unsigned w = 0; w < WORKERS; w++) {
        workers[w] = fork();
        if (workers[w] == 0) {
            bool good = work_all(run, work, 1 + w, count);

            fflush(stdout);
            _exit(!good);
        }
    }
    for (unsigned w = 0; w < WORKERS; w++) {
        int status = -1;

        CHECK_EQ(waitpid(workers[w], &status, 0), workers[w]);
        CHECK_EQ(status, 0);
    }
}

#endif
