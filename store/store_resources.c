/*
 * The seam to the registry, by the table of the engine.
 */
#include "store_resources.h"

#include "store_ops.h"

void store_set_resources(struct store *store,
                         const struct store_resources *resources)
{
    const struct store_head *head = (const void *)store;

    if (head->ops->set_resources)
        head->ops->set_resources(store, resources);
}
