#include <stddef.h>
#include <stdint.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config;
    char error[128];
    enum status status;

    config_defaults(&config);
    status = config_parse_yaml(&config, (const char *)data, size, error,
                               sizeof(error));
    (void)status; /* either is fine; what it must not do is crash */
    config_release(&config);
    return 0;
}
