/* The answer of an issuer. */
#include <assert.h>
#include <stdint.h>

#include "jwk_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jwk_set *set;
    const char *why = NULL;
    enum status status =
        jwk_set_parse((struct slice){(const char *)data, size}, &set, &why);

    assert((status == OK) == (set != NULL));
    assert(!set || (set->count > 0 && set->count <= JWK_MAX_KEYS));
    assert(why);
    jwk_set_free(set);
    return 0;
}
