#include "catalog.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static struct arena arena;

/* The complaint, or "" if it was taken. */
static const char *put(struct catalog *catalog, const char *json)
{
    struct slice detail = {NULL, 0};
    enum status status = catalog_put(catalog, slice_of(json), &arena, &detail);
    static char text[300];

    snprintf(text, sizeof(text), "%.*s", (int)detail.len, detail.ptr);
    CHECK((status == OK) == (detail.len == 0));
    return text;
}

static bool refused(const char *json, const char *want)
{
    struct catalog *catalog = catalog_new();
    const char *got = put(catalog, json);
    bool same = strcmp(got, want) == 0;

    if (!same)
        printf("# %s: got \"%s\"\n", json, got);
    catalog_free(catalog);
    return same;
}

static const char shop[] =
    "{\"projects\":[{\"name\":\"shop\",\"x\":1}],\n"
    " \"components\":[\n"
    "  {\"namespace\":\"acme\",\"project\":\"shop\",\"name\":\"cart\","
    "   \"uid\":\"u1\",\n"
    "   \"endpoints\":[{\"name\":\"http\",\"type\":\"HTTP\",\"port\":80,"
    "     \"targetPort\":8080,\"basePath\":\"/api\","
    "     \"visibility\":[\"project\",\"external\"]},\n"
    "    {\"name\":\"v2\",\"port\":80,\"targetPort\":8080,"
    "     \"basePath\":\"/api/v2/\"},\n"
    "    {\"name\":\"grpc\",\"type\":\"gRPC\",\"port\":9090}],\n"
    "   \"dependencies\":[{\"component\":\"pay\"},"
    "     "
    "{\"project\":\"other\",\"component\":\"x\",\"endpoint\":\"http\"}]},\n"
    "  {\"project\":\"shop\",\"name\":\"pay\"}]}";

TEST(lookup)
{
    struct catalog *catalog = catalog_new();

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(strcmp(put(catalog, shop), ""), 0);

    struct catalog_snapshot *s = catalog_get(catalog);
    const struct catalog_component *cart =
        catalog_component(s, SLICE("acme"), SLICE("shop"), SLICE("cart"));

    CHECK_EQ(catalog_count(s), 2);
    CHECK_EQ(catalog_generation(s), 1);
    if (!CHECK(cart != NULL))
        return;
    CHECK(cart == catalog_at(s, 0));
    CHECK_EQ(cart->endpoint_count, 3);
    CHECK_EQ(cart->endpoints[0].visibility, VISIBLE_PROJECT | VISIBLE_EXTERNAL);
    CHECK_EQ(cart->endpoints[2].visibility, VISIBLE_PROJECT);
    CHECK_EQ(cart->endpoints[2].target_port, 9090);
    CHECK(slice_equal(cart->uid, SLICE("u1")));
    CHECK(slice_equal(cart->dependencies[0].namespace, SLICE("acme")));
    CHECK(slice_equal(cart->dependencies[0].project, SLICE("shop")));
    CHECK(slice_equal(cart->dependencies[1].project, SLICE("other")));
    CHECK(catalog_component(s, SLICE("default"), SLICE("shop"), SLICE("pay")) !=
          NULL);
    CHECK(catalog_component(s, SLICE("acme"), SLICE("shop"), SLICE("pay")) ==
          NULL);
    catalog_release(s);
    catalog_free(catalog);
    arena_release(&arena);
}

TEST(endpoint_by_port_then_by_path)
{
    struct catalog *catalog = catalog_new();

    arena_init(&arena, NULL, SIZE_MAX);
    put(catalog, shop);

    struct catalog_snapshot *s = catalog_get(catalog);
    const struct catalog_component *cart = catalog_at(s, 0);
    static const struct {
        uint16_t port;
        const char *path, *want;
    } rows[] = {
        {8080, "/api/items", "http"},
        {80, "", "http"},
        {8080, "/api/v2/items", "v2"},
        {9090, "/api/v2", "grpc"},
        {0, "/api/v2", "v2"},
        {0, "/api/v2?x=1", "v2"},
        {0, "/api/v22", "http"},
        {0, "/apis", ""},
        {1234, "/api", "http"},
        {1234, "/", ""},
        {0, "", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct catalog_endpoint *e =
            catalog_match_endpoint(cart, rows[i].port, slice_of(rows[i].path));
        struct slice got = e ? e->name : SLICE("");

        if (!CHECK(slice_equal(got, slice_of(rows[i].want))))
            printf("# %d %s: %.*s\n", rows[i].port, rows[i].path, (int)got.len,
                   got.ptr);
    }
    catalog_release(s);
    catalog_free(catalog);
    arena_release(&arena);
}

TEST(complaints_name_the_member)
{
    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(refused("[]", "must be an object"));
    CHECK(refused("{\"components\":1}", "components: must be an array"));
    CHECK(refused("{\"components\":[1]}", "components[0]: must be an object"));
    CHECK(refused("{\"projects\":[{\"name\":\"a\"},{}]}",
                  "projects[1].name: must be given and not empty"));
    CHECK(refused("{\"components\":[{\"name\":\"a\"}]}",
                  "components[0].project: must be given and not empty"));
    CHECK(refused("{\"components\":[{\"name\":7,\"project\":\"p\"}]}",
                  "components[0].name: must be a string"));
#define ENDPOINT(json)                                                        \
    "{\"components\":[{\"name\":\"a\",\"project\":\"p\",\"endpoints\":[" json \
    "]}]}"
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":0}"),
                  "components[0].endpoints[0].port: must be 1 to 65535"));
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":\"80\"}"),
                  "components[0].endpoints[0].port: must be 1 to 65535"));
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":8,\"targetPort\":65536}"),
                  "components[0].endpoints[0].targetPort: must be 1 to 65535"));
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":8,\"type\":\"FTP\"}"),
                  "components[0].endpoints[0].type: must be HTTP, gRPC, "
                  "GraphQL, Websocket, TCP or UDP"));
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":8,\"basePath\":\"x\"}"),
                  "components[0].endpoints[0].basePath: must begin with /"));
    CHECK(refused(
        ENDPOINT("{\"name\":\"h\",\"port\":8,\"visibility\":[\"all\"]}"),
        "components[0].endpoints[0].visibility: must be any of project, "
        "namespace, "
        "internal, external"));
    CHECK(refused(ENDPOINT("{\"name\":\"h\",\"port\":8},"
                           "{\"name\":\"h\",\"port\":9}"),
                  "components[0].endpoints[1].name: is declared twice"));
    CHECK(refused(ENDPOINT("7"),
                  "components[0].endpoints[0]: must be an object"));
    CHECK(refused("{\"components\":[{\"name\":\"a\",\"project\":\"p\"},"
                  "{\"namespace\":\"default\",\"name\":\"a\",\"project\":\"p\"}"
                  "]}",
                  "components[1].name: is declared twice"));
    CHECK(refused("{\"components\":[{\"name\":\"a\",\"project\":\"p\","
                  "\"dependencies\":[{}]}]}",
                  "components[0].dependencies[0].component: must be given and "
                  "not empty"));
    arena_release(&arena);
}

TEST(bad_document_changes_nothing)
{
    struct catalog *catalog = catalog_new();
    struct buf text;

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&text, SIZE_MAX);
    catalog_text(catalog, &text);
    CHECK(slice_equal(buf_slice(&text), SLICE("{}")));
    put(catalog, shop);
    CHECK(put(catalog, "{\"components\":[{}]}")[0] != 0);
    CHECK(put(catalog, "{")[0] != 0);
    CHECK(put(catalog, "{\"a\":1,\"a\":2}")[0] != 0);
    CHECK(put(catalog, "")[0] != 0);
    buf_reset(&text);
    catalog_text(catalog, &text);
    CHECK(slice_equal(buf_slice(&text), slice_of(shop)));

    struct catalog_snapshot *s = catalog_get(catalog);

    CHECK_EQ(catalog_count(s), 2);
    CHECK_EQ(catalog_generation(s), 1);
    put(catalog, "{}");
    CHECK_EQ(catalog_count(s), 2); /* ours until we give it back */
    catalog_release(s);
    s = catalog_get(catalog);
    CHECK_EQ(catalog_count(s), 0);
    CHECK_EQ(catalog_generation(s), 2);
    catalog_release(s);
    buf_release(&text);
    catalog_free(catalog);
    arena_release(&arena);
}

/* A tree of these would take a hundred times their length. */
TEST(swollen_documents_are_refused)
{
    struct catalog *catalog = catalog_new();
    struct slice detail = {NULL, 0};
    size_t len = 3 * 200000;
    char *json = malloc(CATALOG_MAX_BYTES + 1);

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < len; i++)
        json[i] = i % 3 == 0 ? '{' : i % 3 == 1 ? '}' : ',';
    CHECK_EQ(catalog_put(catalog, (struct slice){json, len}, &arena, &detail),
             ERR_TOO_BIG);
    memset(json, ' ', CATALOG_MAX_BYTES + 1);
    json[0] = '{';
    json[1] = '}';
    CHECK_EQ(catalog_put(catalog, (struct slice){json, CATALOG_MAX_BYTES},
                         &arena, &detail),
             OK);
    CHECK_EQ(catalog_put(catalog, (struct slice){json, CATALOG_MAX_BYTES + 1},
                         &arena, &detail),
             ERR_TOO_BIG);
    free(json);
    catalog_free(catalog);
    arena_release(&arena);
}

/* ---- several at once ---- */

enum { PUTS = 200 };

struct kept {
    atomic_int inside;
    char text[64];
};

static enum status keep(void *arg, struct slice json)
{
    struct kept *kept = arg;

    CHECK_EQ(atomic_fetch_add(&kept->inside, 1), 0);
    sched_yield();
    snprintf(kept->text, sizeof(kept->text), "%.*s", (int)json.len, json.ptr);
    atomic_fetch_sub(&kept->inside, 1);
    return OK;
}

struct putter {
    pthread_t thread;
    struct catalog *catalog;
    const char *name;
};

static void *put_many(void *arg)
{
    const struct putter *putter = arg;
    struct arena own;
    char json[64];

    arena_init(&own, NULL, SIZE_MAX);
    for (int i = 0; i < PUTS; i++) {
        struct slice detail = {NULL, 0};

        snprintf(json, sizeof(json), "{\"projects\":[{\"name\":\"%s-%d\"}]}",
                 putter->name, i);
        CHECK_EQ(catalog_put(putter->catalog, slice_of(json), &own, &detail),
                 OK);
        arena_reset(&own);
    }
    arena_release(&own);
    return NULL;
}

TEST(of_puts_at_the_same_time_the_last_is_in_use_and_kept)
{
    struct catalog *catalog = catalog_new();
    struct putter putters[] = {{.catalog = catalog, .name = "a"},
                               {.catalog = catalog, .name = "b"}};
    struct kept kept = {.inside = 0};
    struct catalog_snapshot *s;
    struct buf text;

    catalog_set_persist(catalog, keep, &kept);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(
            pthread_create(&putters[i].thread, NULL, put_many, &putters[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(putters[i].thread, NULL);
    buf_init(&text, 64);
    catalog_text(catalog, &text);
    CHECK(slice_equal(buf_slice(&text), slice_of(kept.text)));
    s = catalog_get(catalog);
    CHECK_EQ(catalog_generation(s), 2 * PUTS);
    catalog_release(s);
    buf_release(&text);
    catalog_free(catalog);
}

TEST(what_another_instance_saved_is_in_use_and_not_saved_again)
{
    static const char document[] = "{\"projects\":[{\"name\":\"a\"}]}";
    struct catalog *catalog = catalog_new();
    struct kept kept = {.inside = 0};
    struct slice detail = {NULL, 0};
    struct catalog_snapshot *s;
    struct arena own;
    struct buf text;

    arena_init(&own, NULL, 1 << 20);
    buf_init(&text, 1 << 10);
    catalog_set_persist(catalog, keep, &kept);
    for (int i = 0; i < 2; i++) /* the second time nothing is new */
        CHECK_EQ(catalog_reload(catalog, slice_of(document), &own, &detail),
                 OK);
    CHECK_EQ(catalog_reload(catalog, SLICE("{"), &own, &detail), ERR_INVALID);
    catalog_text(catalog, &text);
    CHECK_TEXT(buf_slice(&text), document);
    CHECK_TEXT(slice_of(kept.text), "");
    s = catalog_get(catalog);
    CHECK_EQ(catalog_generation(s), 1);
    catalog_release(s);
    buf_release(&text);
    arena_release(&own);
    catalog_free(catalog);
}
