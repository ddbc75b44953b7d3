/*
 * Messages that could not be decoded, from the newest. What is shown of each
 * is cut: a page of whole ones could be larger than any answer may be.
 */
#include "route.h"

enum {
    DEFAULT_LIMIT = 100,
    MAX_LIMIT = 1000,
    DEFAULT_BYTES = 1024,
    MAX_BYTES = 64 * 1024,
};

static void reply_letter(struct call *call, const struct dead_letter *letter,
                         uint64_t max_bytes)
{
    struct attr bytes = {.type = VALUE_BYTES,
                         .str = letter->bytes.ptr,
                         .len = (uint32_t)letter->bytes.len};

    if (bytes.len > max_bytes)
        bytes.len = (uint32_t)max_bytes;
    jsonw_open(&call->json, '{');
    jsonw_member_uint(&call->json, "id", letter->id);
    jsonw_member_text(&call->json, "topic", letter->topic);
    jsonw_member_uint(&call->json, "partition", letter->partition);
    jsonw_member_uint(&call->json, "offset", letter->offset);
    jsonw_member_time(&call->json, "receivedTime", letter->received_ns);
    if (letter->time_ms > 0)
        jsonw_member_time(&call->json, "time", letter->time_ms * 1000000);
    jsonw_member_text(&call->json, "reason", letter->reason);
    jsonw_member_uint(&call->json, "size", letter->size);
    jsonw_key(&call->json, "bytes");
    jsonw_value(&call->json, &bytes);
    jsonw_close(&call->json, '}');
}

static enum status get_dead_letters(struct call *call)
{
    uint64_t limit = DEFAULT_LIMIT, bytes = DEFAULT_BYTES, before = 0;
    uint64_t partition = UINT64_MAX, total = 0;
    struct letter_query query = {.topic = call_param(call, "topic")};
    struct dead_letter *letters = NULL;
    uint32_t count = 0;
    enum status s = params_query_number(call, "limit", 1, MAX_LIMIT, &limit);

    if (s == OK)
        s = params_query_number(call, "bytes", 0, MAX_BYTES, &bytes);
    if (s == OK)
        s = params_query_number(call, "before", 1, INT64_MAX, &before);
    if (s == OK)
        s = params_query_number(call, "partition", 0, INT32_MAX, &partition);
    if (s != OK)
        return s;
    query.partition = partition == UINT64_MAX ? -1 : (int64_t)partition;
    query.before = before;
    query.limit = (uint32_t)limit;
    query.max_bytes = bytes;
    s = reader_query_letters(call->reader, &query, call->arena, &letters,
                             &count, &total);
    if (s != OK)
        return call_fail_read(call, s);
    jsonw_open(&call->json, '{');
    jsonw_member_open(&call->json, "deadLetters", '[');
    for (uint32_t i = 0; i < count; i++)
        reply_letter(call, &letters[i], bytes);
    reply_end(call, total);
    return OK;
}

const struct route routes_dead_letters[] = {
    {"GET", "/api/v1/dead-letters", get_dead_letters, NULL, 0, 0},
    {0},
};
