#include "query_memory.h"

#include <time.h>

#include "clock.h"

enum { WAIT_MS = 5000, POLL_MS = 2, TRIES = 3 };

struct budget *query_budget(struct budget *all, struct tenant *tenant)
{
    struct budget *budget;
    uint64_t most;

    if (!tenant_is_namespace(tenant))
        return all;
    budget = tenant_memory(tenant, TENANT_QUERY);
    most = tenant_limit(tenant, LIMIT_QUERY_MEMORY, all->limit / 2);
    if (!budget->parent) /* before the first query of this tenant */
        budget->parent = all;
    budget->limit = most < all->limit ? most : all->limit;
    return budget;
}

/* ---- waiting ---- */

/* Handlers with a reader change nothing, so that they can run again. */
static bool lacks_memory(const struct query_request *request)
{
    return request->failed == ERR_BUSY && !request->waits && request->route &&
           !(request->route->flags & (NO_READER | ON_IO | SENDS_FILE));
}

bool memory_wait(struct memory_wait *wait, const struct query_request *request)
{
    static const struct timespec poll = {.tv_nsec = POLL_MS * NS_PER_MS};
    const struct budget *budget = request->arena->budget;

    if (!lacks_memory(request) || wait->tries == TRIES)
        return false;
    arena_release(request->arena);
    if (wait->tries++ == 0)
        pthread_mutex_lock(wait->turn);
    for (int ms = 0; ms < WAIT_MS; ms += POLL_MS) {
        if (atomic_load(wait->disconnected))
            return false;
        if (budget_has(budget, budget->limit / 2, 0))
            return true;
        nanosleep(&poll, NULL);
    }
    return false;
}

void memory_wait_end(struct memory_wait *wait)
{
    if (wait->tries > 0)
        pthread_mutex_unlock(wait->turn);
}
