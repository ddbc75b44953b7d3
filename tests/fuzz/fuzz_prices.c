/* The file of --prices: it is a table whose rows can hold, or a reason. */
#include <assert.h>
#include <math.h>

#include "prices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct price_table *table;
    char error[256] = "";
    enum status status = price_table_parse(
        (struct slice){(const char *)data, size}, &table, error, sizeof(error));

    assert((status == OK) == (error[0] == '\0') && (status == OK) == !!table);
    for (uint32_t i = 0; table && i < table->count; i++) {
        struct price price = price_at(table, &table->rows[i], 4, 16);

        assert(table->rows[i].count > 0);
        assert(price.of[PRICE_CPU] >= 0 && isfinite(price.of[PRICE_CPU]));
        assert(price.of[PRICE_MEMORY] >= 0 && isfinite(price.of[PRICE_MEMORY]));
    }
    price_table_release(table);
    return 0;
}
