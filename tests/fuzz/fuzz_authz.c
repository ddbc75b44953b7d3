/* The answer of the authorization service. */
#include <assert.h>
#include <stdint.h>

#include "authz_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};

    for (uint32_t count = 1; count <= AUTHZ_MAX_QUESTIONS; count++) {
        bool yes = true;
        enum status status = authz_read_answer(text, count, &yes);

        assert(status == OK || !yes);
    }
    return 0;
}
