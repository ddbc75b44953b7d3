/*
 * The names of SEMCONV_TABLE, hashed once at start into several times as many
 * slots as there are names. A slot holds a part of the hash: an unknown key is
 * rejected after one lookup, a known key is compared once.
 */
#include "semconv.h"

#include <assert.h>
#include <pthread.h>
#include <strings.h>

#include "hash.h"

enum { SLOTS = 512 };

static const char *const field_names[SEM_FIELD_COUNT] = {
#define SEMCONV_NAMES(field, names) names,
    SEMCONV_TABLE(SEMCONV_NAMES)
#undef SEMCONV_NAMES
};

enum { MAX_NAMES = 128 };

/* By field and rank: a newer name of a field stands before an older one. */
static struct semconv_name {
    struct slice key;
    enum semconv_field field;
} names[MAX_NAMES];
static uint32_t name_count;

static struct semconv_slot {
    uint16_t mark; /* bits of the hash; 0: free */
    uint8_t name, len;
} slots[SLOTS];

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)(hash >> 40) % SLOTS;
}

static uint16_t mark_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

static void add_name(struct slice key, enum semconv_field field)
{
    uint64_t hash = hash_key(key.ptr, (uint32_t)key.len);
    uint32_t slot = slot_of(hash);

    assert(name_count < MAX_NAMES);
    while (slots[slot].mark)
        slot = (slot + 1) % SLOTS;
    slots[slot] = (struct semconv_slot){mark_of(hash), (uint8_t)name_count,
                                        (uint8_t)key.len};
    names[name_count++] = (struct semconv_name){key, field};
}

static void add_names(void)
{
    for (int field = 0; field < SEM_FIELD_COUNT; field++) {
        struct slice list = slice_of(field_names[field]);

        while (list.len > 0)
            add_name(slice_split(&list, ' '), (enum semconv_field)field);
    }
}

void semconv_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, add_names);
}

/* The number of the name; MAX_NAMES if the key is none. */
static inline uint32_t name_of(const struct attr *attr)
{
    uint64_t hash = hash_key(attr->key, attr->key_len);
    uint16_t mark = mark_of(hash);

    for (uint32_t at = slot_of(hash); slots[at].mark; at = (at + 1) % SLOTS)
        if (slots[at].mark == mark && slots[at].len == attr->key_len &&
            bytes_equal(names[slots[at].name].key.ptr, attr->key,
                        attr->key_len))
            return slots[at].name;
    return MAX_NAMES;
}

void semconv_read(struct semconv *semconv, const struct span *span)
{
    const struct attrs *attrs = &span->attrs;

    semconv->span = span;
    memset(semconv->at, 0, sizeof(semconv->at));
    semconv->has = 0;
    for (const struct attr *attr = attrs->at, *end = attr + attrs->count;
         attr < end; attr++) {
        uint32_t name = name_of(attr);
        enum semconv_field field;

        if (name == MAX_NAMES)
            continue;
        field = names[name].field;
        if (!semconv->at[field] || name < semconv->rank[field]) {
            semconv->at[field] = attr;
            semconv->rank[field] = (uint8_t)name;
            semconv->has |= SEM_BIT(field);
        }
    }
}

int64_t semconv_number(const struct semconv *semconv, enum semconv_field field)
{
    const struct attr *attr = semconv->at[field];
    int64_t number = 0;

    if (!attr)
        return -1;
    if (attr->type == VALUE_INT)
        return attr->i;
    if (attr->type == VALUE_DOUBLE) /* JSON through Lua or JavaScript */
        return attr->d >= 0 && attr->d < 1e9 ? (int64_t)attr->d : -1;
    if (attr->type != VALUE_STRING || attr->len == 0 || attr->len > 9)
        return -1;
    for (uint32_t i = 0; i < attr->len; i++) {
        if (attr->str[i] < '0' || attr->str[i] > '9')
            return -1;
        number = number * 10 + (attr->str[i] - '0');
    }
    return number;
}

struct slice semconv_first(const struct semconv *semconv,
                           const enum semconv_field *fields, size_t count)
{
    struct slice text = {NULL, 0};

    for (size_t i = 0; i < count && text.len == 0; i++)
        text = semconv_text(semconv, fields[i]);
    return text;
}

uint16_t semconv_port(const struct semconv *semconv, enum semconv_field field,
                      enum semconv_field old_field)
{
    int64_t port = semconv_number(semconv, field);

    if (port <= 0)
        port = semconv_number(semconv, old_field);
    return port > 0 && port < 65536 ? (uint16_t)port : 0;
}

const char *semconv_verb(struct slice text)
{
    static const struct {
        uint8_t len;
        char name[8];
    } verbs[] = {{3, "GET"},   {4, "POST"},   {3, "PUT"},     {6, "DELETE"},
                 {4, "HEAD"},  {5, "PATCH"},  {7, "OPTIONS"}, {5, "QUERY"},
                 {5, "TRACE"}, {7, "CONNECT"}};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (text.len == verbs[i].len &&
            (bytes_equal(text.ptr, verbs[i].name, text.len) ||
             strncasecmp(text.ptr, verbs[i].name, text.len) == 0))
            return verbs[i].name;
    return NULL;
}

bool semconv_is_uri(struct slice text)
{
    return slice_starts(text, SLICE("/")) ||
           slice_starts(text, SLICE("http://")) ||
           slice_starts(text, SLICE("https://"));
}

bool semconv_is_http(const struct semconv *semconv)
{
    return semconv->at[SEM_HTTP_METHOD] || semconv->at[SEM_HTTP_ROUTE] ||
           semconv->at[SEM_HTTP_STATUS] || semconv->at[SEM_URL_PATH] ||
           semconv->at[SEM_URL_FULL] ||
           semconv_verb(semconv_text(semconv, SEM_PLAIN_METHOD)) ||
           semconv_is_uri(semconv_text(semconv, SEM_PLAIN_URI));
}
