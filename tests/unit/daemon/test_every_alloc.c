/*
 * The script sends batches from receiver to block; the n-th allocation of the
 * program or of SQLite fails. If it is the program's, the process ends with a
 * message (mem.h); if it is SQLite's, the operation fails and is retried. In
 * both cases every acknowledged record is there once after a restart.
 *
 * By default a few hundred allocations are tried, spread over the script;
 * SEED=n repeats them; NIGHTLY=1 tries all.
 */
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>

#include "fault_work.h"

/* ---- memory that is refused (the linker puts these before the library's) */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
_Noreturn void __wrap_abort(void);

static atomic_uint refuse_at, asked; /* refuse_at 0: none */

static bool refused(void)
{
    return atomic_fetch_add(&asked, 1) + 1 == atomic_load(&refuse_at);
}

void *__wrap_malloc(size_t size)
{
    return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return refused() ? NULL : __real_realloc(ptr, size);
}

/* Told from a failed assertion, which does not come here. */
enum { OUT_OF_MEMORY = 77 };

_Noreturn void __wrap_abort(void)
{
    _exit(OUT_OF_MEMORY);
}

static sqlite3_mem_methods sqlite_mem, sqlite_real;

static void *sqlite_malloc(int size)
{
    return refused() ? NULL : sqlite_real.xMalloc(size);
}

static void *sqlite_realloc(void *ptr, int size)
{
    return refused() ? NULL : sqlite_real.xRealloc(ptr, size);
}

/* Before SQLite is used for the first time. */
static void wrap_sqlite(void)
{
    CHECK_EQ(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_real), SQLITE_OK);
    sqlite_mem = sqlite_real;
    sqlite_mem.xMalloc = sqlite_malloc;
    sqlite_mem.xRealloc = sqlite_realloc;
    CHECK_EQ(sqlite3_config(SQLITE_CONFIG_MALLOC, &sqlite_mem), SQLITE_OK);
}

/* ---- the script ---- */

static bool send_until_taken(struct instance *instance, uint32_t k,
                             struct account *account)
{
    for (int i = 0; i < PATIENCE_MS && account->taken[k] == 0; i++) {
        account->unsure[k]++;
        if (instance_send(instance, k) == OK)
            account->taken[k]++;
        else
            test_pause_us(1000);
        account->unsure[k]--;
    }
    return CHECK(account->taken[k]);
}

/* The account is shared with who is there after us. */
static bool run_script(const char *dir, struct account *account)
{
    struct instance instance;
    struct found found;
    bool good = true;

    /* The second time none is refused any more. */
    if (instance_open(&instance, dir, &journal_io_system) != OK &&
        !CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK))
        return false;
    for (uint32_t k = 0; k < BATCHES && good; k++) {
        good = send_until_taken(&instance, k, account);
        if (k == BATCHES / 3 || k == BATCHES - 4)
            good &= CHECK(instance_flush(&instance));
        if (k == BATCHES / 3 + 2 &&
            (instance_read(&instance, &found) == OK ||
             CHECK_EQ(instance_read(&instance, &found), OK)))
            good &= agrees(&found, account);
    }
    return CHECK(instance_close(&instance)) && good;
}

static int run_in_child(const char *dir, struct account *account, unsigned n)
{
    pid_t child;
    int status = -1;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        atomic_store(&asked, 0);
        atomic_store(&refuse_at, n);
        bool good = run_script(dir, account);

        fflush(stdout);
        _exit(!good);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static unsigned first, step;

static bool refuse_one(unsigned n, const struct work *work)
{
    struct account *account =
        mmap(NULL, sizeof(*account), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned call = first + (n - 1) * step;
    int status = run_in_child(work->dir, account, call);
    bool good =
        CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
                                    WEXITSTATUS(status) == OUT_OF_MEMORY)) &&
        instance_after(work->dir, *account, nightly());

    if (!good)
        printf("# piece %u was refused, exit status %x\n", call,
               (unsigned)status);
    munmap(account, sizeof(*account));
    return good;
}

TEST(any_piece_of_memory_may_be_refused)
{
    enum { RUNS = 200 };
    char dir[64];
    struct account account = {.taken = {0}};

    log_set_level(LOG_ERROR);
    wrap_sqlite();
    temp_make(dir);
    CHECK(run_script(dir, &account));
    unsigned pieces = atomic_load(&asked);
    CHECK(sqlite3_shutdown() == SQLITE_OK); /* what it keeps, too */
    temp_remove(dir);
    CHECK(pieces > 1000);

    step = nightly() ? 1 : pieces / RUNS;
    first = 1 + test_random(step);
    printf("# %u pieces, every %u-th is refused\n", pieces, step);
    in_workers(refuse_one, (struct work){.kind = 0}, (pieces - first) / step);
}
