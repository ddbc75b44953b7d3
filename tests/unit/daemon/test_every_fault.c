/*
 * One script - open journal, store and correlator, send batches of all three
 * signals, flush, query, let the journal be truncated, close - and every call
 * that it makes on a disk goes wrong once, in every way: it fails; a write is
 * short; the disk fails for a while; the process is killed in the midst of it;
 * the power fails, and of what was not synced any sector may be missing.
 *
 * What is refused is sent again, as an exporter would. In the end what can be
 * read is compared with what was acknowledged, record by record.
 *
 * SEED=n repeats a run; NIGHTLY=1 goes through more of them.
 */
#define _GNU_SOURCE /* fallocate */
#include "fault_crash.h"
#include "fault_work.h"

/* ---- the script ---- */

enum { TRIES = 3 * OUTAGE_CALLS };

/* A start that fails is tried again, as a supervisor would. */
static bool open_at_last(struct instance *instance, const char *dir)
{
    enum status status = ERR_IO;

    for (int i = 0; i < TRIES && status != OK; i++)
        status = instance_open(instance, dir, &disk_journal);
    return CHECK_EQ(status, OK);
}

/* A question may fail while the disk does, and not be answered wrongly. */
static bool ask(struct instance *instance, const struct account *account)
{
    struct found found;
    enum status status = ERR_IO;

    for (int i = 0; i < TRIES && status != OK; i++)
        status = instance_read(instance, &found);
    return CHECK_EQ(status, OK) && agrees(&found, account);
}

/* What there is before the close, too, if copy is a folder. */
static bool run_script(const char *dir, const char *copy,
                       struct account *account)
{
    struct instance instance;

    if (!open_at_last(&instance, dir))
        return false;
    bool good = true;
    for (uint32_t k = 0; k < BATCHES && good; k++) {
        good = CHECK(instance_send_until_taken(&instance, k));
        account->taken[k] += good;
        disk_told(k);
        if (k == BATCHES / 3 || k == BATCHES - 4)
            good &= CHECK(instance_flush(&instance));
        if (k == BATCHES / 3 + 2)
            good &= ask(&instance, account);
    }
    if (copy)
        copy_folder(dir, copy);
    return CHECK(instance_close(&instance)) && good;
}

static unsigned calls_of_a_good_run(void)
{
    char dir[64];
    struct account account = {.taken = {0}};

    temp_make(dir);
    disk_set(DISK_GOOD, 0);
    CHECK(run_script(dir, NULL, &account));
    unsigned calls = disk.calls;
    CHECK(instance_after(dir, account, true));
    temp_remove(dir);
    return calls;
}

/* ---- calls that fail ---- */

/* A refused request must not be stored either when the process is killed. */
static bool run_with_fault(unsigned n, const struct work *work)
{
    bool killed = nightly() || test_random(2);
    struct account account = {.taken = {0}};

    disk_set((enum disk_mode)work->kind, n);
    bool good = run_script(work->dir, killed ? work->copy : NULL, &account);
    disk_set(DISK_GOOD, 0);
    if (killed)
        good &= instance_after(work->copy, account, nightly());
    if (nightly() || !killed)
        good &= instance_after(work->dir, account, nightly());
    return good;
}

static void run_all(enum disk_mode mode)
{
    log_set_level(LOG_ERROR);
    disk_mount();
    unsigned calls = calls_of_a_good_run();
    CHECK(calls > 200);
    printf("# %u calls\n", calls);
    in_workers(run_with_fault, (struct work){.kind = (int)mode}, calls);
}

TEST(any_call_may_fail)
{
    run_all(DISK_FAIL);
}

TEST(any_write_may_be_short)
{
    run_all(DISK_SHORT);
}

TEST(the_disk_may_fail_for_a_while_at_any_call)
{
    run_all(DISK_OUTAGE);
}

/* ---- calls that fail while damaged files are renamed ---- */

static char damaged[64];       /* a folder, as a process that was killed left */
static struct found undamaged; /* what can still be read of it */

static void flip(const char *dir, const char *first_lsn, off_t at)
{
    char path[128], c = 0;

    snprintf(path, sizeof(path), "%s/journal-%s.log", dir, first_lsn);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && pread(fd, &c, 1, at) == 1);
    c ^= 1;
    CHECK(pwrite(fd, &c, 1, at) == 1);
    close(fd);
}

/* Everything is in the journal, of which the first segment has a body and the
 * last one a head with a wrong bit. */
static void make_damaged(void)
{
    struct account account = {.taken = {0}};
    char dir[64];
    struct instance instance;

    temp_make(dir);
    temp_make(damaged);
    CHECK_EQ(instance_open(&instance, dir, &disk_journal), OK);
    for (uint32_t k = 0; k < BATCHES / 2; k++)
        account.taken[k] = instance_send(&instance, k) == OK;
    copy_folder(dir, damaged);
    CHECK(instance_close(&instance));
    temp_empty(dir);
    copy_folder(damaged, dir);
    CHECK(instance_after(dir, account, false));
    temp_remove(dir);
    flip(damaged, "0000000000000001", 5000);
    flip(damaged, "000000000000000a", 3); /* both halves of its head */
    flip(damaged, "000000000000000a", 35);
}

static bool read_damaged(const char *dir, struct found *found)
{
    struct instance instance;

    return open_at_last(&instance, dir) &&
           CHECK_EQ(instance_read(&instance, found), OK) &&
           CHECK(instance_close(&instance));
}

static bool move_aside_with_fault(unsigned n, const struct work *work)
{
    struct instance instance;
    struct found found;

    copy_folder(damaged, work->dir);
    disk_set((enum disk_mode)work->kind, n);
    bool good =
        open_at_last(&instance, work->dir) && CHECK(instance_close(&instance));
    disk_set(DISK_GOOD, 0);
    return good && read_damaged(work->dir, &found) &&
           CHECK(moved_aside(work->dir) <= 2) && /* and not the database */
           CHECK(memcmp(&found, &undamaged, sizeof(found)) == 0);
}

TEST(any_call_may_fail_while_damaged_files_are_renamed)
{
    static const enum disk_mode modes[] = {DISK_FAIL, DISK_SHORT, DISK_OUTAGE};
    char dir[64];

    log_set_level(LOG_ERROR);
    disk_mount();
    disk_set(DISK_GOOD, 0);
    make_damaged();
    temp_make(dir);
    copy_folder(damaged, dir);
    disk_set(DISK_GOOD, 0);
    CHECK(read_damaged(dir, &undamaged));
    unsigned calls = disk.calls;
    CHECK(undamaged.times[0] == 1 && calls > 50);
    CHECK(undamaged.times[BATCHES / 2 * RECORDS - 1] == 0);
    for (int i = 0; i < 3; i++)
        in_workers(move_aside_with_fault, (struct work){.kind = (int)modes[i]},
                   calls);
    temp_remove(dir);
    temp_remove(damaged);
}

/* ---- the end at any call ---- */

/* What the sender knows after n operations. */
static struct account account_of(unsigned n)
{
    struct account account = {.taken = {0}};
    uint32_t next = 0;

    for (unsigned i = 0; i < n; i++)
        if (disk.ops[i].kind == OP_TOLD)
            account.taken[next = (uint32_t)disk.ops[i].name] = 1;
    next += account.taken[0]; /* the one under way */
    if (next < BATCHES)
        account.unsure[next] = 1;
    return account;
}

static bool end_after(unsigned n, const struct work *work)
{
    leave(work->dir, n, work->power);
    return instance_after(work->dir, account_of(n), nightly());
}

static void end_anywhere(bool power)
{
    char dir[64];

    log_set_level(LOG_ERROR);
    disk_mount();
    for (int round = 0; round < (nightly() ? 10 : 1); round++) {
        struct account account = {.taken = {0}};

        temp_make(dir);
        disk_set(DISK_RECORD, 0);
        CHECK(run_script(dir, NULL, &account));
        disk_set(DISK_GOOD, 0);
        temp_remove(dir);
        CHECK(disk.op_count > 200);
        in_workers(end_after, (struct work){.power = power}, disk.op_count);
        while (disk.op_count > 0)
            free(disk.ops[--disk.op_count].bytes);
    }
}

TEST(it_may_be_killed_at_any_call)
{
    end_anywhere(false);
}

TEST(power_may_fail_at_any_call)
{
    end_anywhere(true);
}
