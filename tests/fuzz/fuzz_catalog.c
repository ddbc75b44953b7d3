/*
 * Documents for the catalogue: they are taken whole, and what was taken can be
 * found again, or refused with a reason and nothing has changed.
 */
#include <stdlib.h>

#include "catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up_all(const struct catalog_snapshot *s)
{
    for (uint32_t i = 0; i < catalog_count(s); i++) {
        const struct catalog_component *c = catalog_at(s, i);

        if (catalog_component(s, c->namespace, c->project, c->name) != c)
            abort();
        for (uint32_t k = 0; k < c->endpoint_count; k++) {
            const struct catalog_endpoint *e = &c->endpoints[k];
            const struct catalog_endpoint *found =
                catalog_match_endpoint(c, e->target_port, e->base_path);

            if (!found || (found->port != e->target_port &&
                           found->target_port != e->target_port))
                abort();
            (void)catalog_match_endpoint(c, 0, e->base_path);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalog *catalog = catalog_new();
    struct slice detail = {NULL, 0};
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);

    enum status status = catalog_put(
        catalog, (struct slice){(const char *)data, size}, &arena, &detail);
    struct catalog_snapshot *s = catalog_get(catalog);

    if (catalog_generation(s) != (status == OK ? 1 : 0))
        abort();
    if (status != OK && (catalog_count(s) > 0 || detail.len == 0))
        abort();
    look_up_all(s);
    catalog_release(s);
    catalog_free(catalog);
    arena_release(&arena);
    return 0;
}
