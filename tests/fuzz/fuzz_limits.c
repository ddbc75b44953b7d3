/*
 * Files of limits: taken whole, or refused with a reason and nothing is kept.
 */
#include <stdlib.h>

#include "tenant_limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits limits;
    char error[TENANT_TEXT] = "";
    enum status status = limits_parse((struct slice){(const char *)data, size},
                                      &limits, error, sizeof(error));

    if (status != OK && (limits.count > 0 || error[0] == '\0'))
        abort();
    for (uint32_t i = 0; i < limits.count; i++) {
        struct limit_values values =
            limits_of(&limits, slice_of(limits.rows[i].name), true);

        for (int k = 0; k < LIMIT_COUNT; k++)
            if (values.set & 1u << k && values.value[k] == 0)
                abort();
    }
    limits_release(&limits);
    return 0;
}
