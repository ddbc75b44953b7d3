/*
 * Memory of a question: whatever fits for a project fits for one of its
 * components, which is analysed with the same data.
 */
#include <stdio.h>

#include "cause_world.h"
#include "rca_reports.h"

static char stored[1 << 16];

static enum status keep(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    (void)arg;
    (void)slot;
    (void)number;
    if (!CHECK(document.len < sizeof(stored)))
        return ERR_TOO_BIG;
    snprintf(stored, sizeof(stored), "%.*s", (int)document.len, document.ptr);
    return OK;
}

static bool fits_project(struct world *w, size_t memory)
{
    char start[32], end[32], body[512];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"%s\",\"endTime\":\"%s\",\"searchScope\":"
             "{\"namespace\":\"acme\",\"project\":\"shop\"}}",
             time_text(w->start_s + 600, start),
             time_text(w->start_s + 900, end));
    w->bed.max_memory = memory;
    json_decref(bed_ask(&w->bed, "POST", "/api/v1/cause", body));
    return w->bed.status == 200;
}

static bool fits_component(struct world *w, const char *name, size_t memory)
{
    char at[32], body[512];

    snprintf(
        body, sizeof(body),
        "{\"namespace\":\"acme\",\"project\":\"shop\",\"environment\":"
        "\"prod\",\"component\":\"%s\",\"alert\":{\"id\":\"a1\",\"value\":1,"
        "\"timestamp\":\"%s\"}}",
        name, time_text(w->start_s + 900, at));
    w->bed.max_memory = memory;
    stored[0] = '\0';
    json_decref(
        bed_ask(&w->bed, "POST", "/api/v1alpha1/rca-agent/analyze", body));
    return w->bed.status == 200 && strstr(stored, "\"completed\"");
}

TEST(a_component_needs_no_more_memory_than_its_project)
{
    struct world *w = world_new(plain);
    size_t least = 0;

    w->fault = CODE;
    w->at = STORE;
    generate(w, true, true);
    w->bed.options.rca = rca_reports_new(keep, NULL);
    for (size_t memory = 2 << 20; memory < 3 << 20; memory += memory / 200) {
        if (!fits_project(w, memory))
            continue;
        least = least ? least : memory;
        CHECK(fits_component(w, "store", memory));
        CHECK(fits_component(w, "web", memory));
        CHECK(fits_component(w, "", memory));
    }
    CHECK(least > 0 && least < 4 << 20);
    rca_reports_free(w->bed.options.rca);
    world_free(w);
}
