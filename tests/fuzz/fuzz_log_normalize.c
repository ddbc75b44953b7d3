/*
 * Bodies that shippers write: the input is the body as a text, and, where it is
 * a JSON object, as a map and as attributes.
 */
#include <assert.h>

#include "log_json.h"
#include "log_normalize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct otlp_decoder *d, struct log_record *log)
{
    if (!log_normalize(d, log))
        return;
    assert(log->attrs.count <= ATTR_MAX_COUNT);
    for (uint32_t i = 0; i < log->attrs.count; i++) {
        assert(log->attrs.at[i].key_len > 0);
        assert(log->attrs.at[i].key_len <= ATTR_MAX_KEY);
    }
    if (log->body.type == VALUE_STRING)
        assert(log->body.len <= LOG_MAX_BODY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    struct otlp_decoder d = {.batch = batch, .arena = &batch->arena};
    struct slice text = {(const char *)data,
                         size < LOG_MAX_BODY ? size : LOG_MAX_BODY};
    struct log_record log = {.body = {.key = "",
                                      .str = text.ptr,
                                      .len = (uint32_t)text.len,
                                      .type = VALUE_STRING}};
    struct attr map;

    check(&d, &log);
    if (log_json_map(&d, text, &map)) {
        log = (struct log_record){.body = map};
        check(&d, &log);
        log = (struct log_record){.attrs = {map.items, map.len, 0}};
        check(&d, &log);
    }
    batch_free(batch);
    return 0;
}
