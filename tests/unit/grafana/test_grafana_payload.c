/*
 * Values of payloads in every form that Grafana and people make of them, and
 * payloads that are no objects.
 */
#include <stdio.h>
#include <string.h>

#include "grafana_payload.h"
#include "test.h"

static struct arena arena;

static void read_json(const char *json, const char *scoped,
                      struct payload_values *out)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    json_t *variables = scoped ? json_loads(scoped, 0, NULL) : NULL;

    CHECK(value);
    payload_values(value, variables, &arena, out);
    json_decref(value);
    json_decref(variables);
}

static bool has(const struct slice *texts, uint32_t count, struct slice text)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(texts[i], text))
            return true;
    return false;
}

/* want: the texts, separated by "; "; "*": all. */
static void check_values(const char *json, const char *want)
{
    struct payload_values v;
    struct slice rest = slice_of(want);
    uint32_t count = 0;

    arena_init(&arena, NULL, 1 << 20);
    read_json(json, NULL, &v);
    if (strcmp(want, "*") == 0) {
        if (!CHECK(v.all))
            printf("# %s\n", json);
        arena_release(&arena);
        return;
    }
    while (rest.len > 0) {
        struct slice text = slice_trim(slice_split(&rest, ';'), " ");

        if (!CHECK(has(v.texts, v.count, text)))
            printf("# %s: no %.*s\n", json, SLICE_ARGS(text));
        count++;
    }
    if (!CHECK(!v.all) || !CHECK_EQ(v.count, count))
        printf("# %s\n", json);
    arena_release(&arena);
}

TEST(one_text)
{
    check_values("\"checkout\"", "checkout");
    check_values("\"  checkout \\n\"", "checkout");
    check_values("\"a.b\"", "a.b");
    check_values("\"a\\\\.b\"", "a.b"); /* as Grafana escapes it */
    check_values("\"POST \\\\/orders\\\\/\\\\{id\\\\}\"", "POST /orders/{id}");
    check_values("\"POST /orders/{id}\"", "POST /orders/{id}");
    check_values("\"caf\\u00e9\"", "caf\xc3\xa9");
    check_values("[\"checkout\"]", "checkout");
    check_values("{\"value\":\"checkout\",\"label\":\"Checkout\"}", "checkout");
    check_values("[{\"value\":\"a\"},{\"value\":\"b\"}]", "a; b");
    check_values("5", "5");
    check_values("0.95", "0.95");
    check_values("true", "true");
}

TEST(several_texts)
{
    static const char *const forms[] = {"[\"cart\",\"checkout\"]",
                                        "\"(cart|checkout)\"",
                                        "\"cart|checkout\"",
                                        "\"{cart,checkout}\"",
                                        "[\"(cart|checkout)\"]",
                                        "[\"cart\",[\"checkout\"]]",
                                        "\"[\\\"cart\\\",\\\"checkout\\\"]\"",
                                        "[\"cart\",\"checkout\",\"cart\"]",
                                        "[\"cart\",\"\",null,\"checkout\"]"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        check_values(forms[i], "cart; checkout");
    check_values("\"(a\\\\.b|c\\\\/d|e\\\\|f)\"", "a.b; c/d; e|f");
    check_values("\"GET /a|POST /b/{id}\"", "GET /a; POST /b/{id}");
}

TEST(all_and_nothing)
{
    static const char *const forms[] = {"\"\"",         "\"  \"",
                                        "null",         "[]",
                                        "[\"\"]",       "\"()\"",
                                        "\".*\"",       "\".+\"",
                                        "\"*\"",        "\"(.*)\"",
                                        "\"$__all\"",   "[\"$__all\"]",
                                        "\"${__all}\"", "[\"a\",\"$__all\"]",
                                        "\"(a|.*)\"",   "{}",
                                        "[[],[]]"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        check_values(forms[i], "*");
}

/* Every name of these, alone, in a list, escaped and in alternatives, comes
 * back as it was. */
TEST(names_survive_every_format)
{
    static const char special[] = "\\^$*+?.()|[]{}/";
    static const char *const names[] = {
        "cart",          "shop-api_v2", "a.b.c",       "GET /orders/{id}",
        "POST /a/b:run", "x y",         "weird(name)", "50% off",
        "GET /",         "ns/name",     "a+b",         "grpc.health.v1.Health"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };

    for (int i = 0; i < NAMES; i++)
        for (int k = 0; k < NAMES; k++) {
            char escaped[2][128], json[600];
            const char *const pair[] = {names[i], names[k]};
            struct payload_values v;

            for (int n = 0; n < 2; n++) {
                size_t len = 0;

                for (const char *p = pair[n]; *p; p++) {
                    if (strchr(special, *p)) {
                        escaped[n][len++] = '\\';
                        escaped[n][len++] = '\\'; /* of JSON */
                    }
                    escaped[n][len++] = *p;
                }
                escaped[n][len] = '\0';
            }
            arena_init(&arena, NULL, 1 << 20);
            snprintf(json, sizeof(json), "\"(%s|%s)\"", escaped[0], escaped[1]);
            read_json(json, NULL, &v);
            CHECK(has(v.texts, v.count, slice_of(pair[0])));
            CHECK(has(v.texts, v.count, slice_of(pair[1])));
            CHECK(!v.all && v.count <= 2 && v.pattern.len == 0);
            snprintf(json, sizeof(json), "[\"%s\",\"%s\"]", pair[0], pair[1]);
            read_json(json, NULL, &v);
            CHECK(has(v.texts, v.count, slice_of(pair[0])) ||
                  has(v.also, v.also_count, slice_of(pair[0])));
            CHECK(has(v.texts, v.count, slice_of(pair[1])) ||
                  has(v.also, v.also_count, slice_of(pair[1])));
            arena_release(&arena);
        }
}

TEST(patterns)
{
    struct payload_values v;

    arena_init(&arena, NULL, 1 << 20);
    read_json("\"cart-.*\"", NULL, &v);
    CHECK_TEXT(v.pattern, "(?:cart-.*)");
    read_json("[\"a.*\",\"[bc]\",\"d\"]", NULL, &v);
    CHECK_TEXT(v.pattern, "(?:a.*)|(?:[bc])");
    CHECK(has(v.texts, v.count, SLICE("d")));
    read_json("\"a.b\"", NULL, &v);
    CHECK_EQ(v.pattern.len, 0);
    read_json("\"cart, web\"", NULL, &v); /* CSV, or a name with a comma */
    CHECK(has(v.texts, v.count, SLICE("cart, web")));
    CHECK(has(v.also, v.also_count, SLICE("web")));
    arena_release(&arena);
}

TEST(variables_that_were_not_replaced)
{
    static const char scoped[] =
        "{\"c\":{\"text\":\"x\",\"value\":[\"cart\",\"web\"]},"
        "\"one\":{\"value\":\"cart\"},\"all\":{\"value\":[\"$__all\"]},"
        "\"loop\":{\"value\":\"$loop\"}}";
    static const char *const forms[] = {"\"$c\"", "\"${c}\"", "\"${c:regex}\"",
                                        "\"[[c]]\"", "[\"$c\"]"};
    struct payload_values v;

    arena_init(&arena, NULL, 1 << 20);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        read_json(forms[i], scoped, &v);
        CHECK_EQ(v.count, 2);
        CHECK(has(v.texts, v.count, SLICE("web")));
    }
    read_json("\"$one\"", scoped, &v);
    CHECK_EQ(v.count, 1);
    read_json("\"$all\"", scoped, &v);
    CHECK(v.all);
    read_json("\"$loop\"", scoped, &v); /* ends */
    CHECK(v.all);
    read_json("\"$missing\"", scoped, &v);
    CHECK(v.all);
    CHECK_TEXT(v.unknown, "$missing");
    arena_release(&arena);
}

static void check_payload(const char *target_json, enum payload_state want,
                          size_t members)
{
    json_t *target = json_loads(target_json, 0, NULL);
    enum payload_state state;
    const json_t *object = payload_object(target, &state);

    if (!CHECK_EQ(state, want) || !CHECK_EQ(json_object_size(object), members))
        printf("# %s\n", target_json);
    json_decref(target);
}

TEST(payloads)
{
    check_payload("{\"payload\":{\"a\":1}}", PAYLOAD_GIVEN, 1);
    check_payload("{\"payload\":\"{\\\"a\\\":1}\"}", PAYLOAD_GIVEN, 1);
    check_payload("{\"payload\":\" {\\\"a\\\":1}\\n\"}", PAYLOAD_GIVEN, 1);
    check_payload("{\"data\":{\"a\":1}}", PAYLOAD_GIVEN, 1);
    check_payload("{\"data\":\"{\\\"a\\\":1}\"}", PAYLOAD_GIVEN, 1);
    check_payload("{\"payload\":\"\",\"data\":{\"a\":1}}", PAYLOAD_GIVEN, 1);
    check_payload("{\"payload\":null,\"data\":{\"a\":1}}", PAYLOAD_GIVEN, 1);
    check_payload("{}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":null}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":\"\"}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":\"  \"}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":{}}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":\"{}\"}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":[]}", PAYLOAD_EMPTY, 0);
    check_payload("{\"payload\":\"{\\\"a\\\":\"}", PAYLOAD_BROKEN, 0);
    check_payload("{\"payload\":\"{\\\"a\\\":\\\"[\\\"x\\\",\\\"y\\\"]\\\"}\"}",
                  PAYLOAD_BROKEN, 0); /* a multi-value variable in quotes */
    check_payload("{\"payload\":[1]}", PAYLOAD_BROKEN, 0);
    check_payload("{\"payload\":7}", PAYLOAD_BROKEN, 0);
    check_payload("{\"payload\":\"[1,2]\"}", PAYLOAD_BROKEN, 0);
    check_payload("{\"payload\":true}", PAYLOAD_BROKEN, 0);
}

TEST(bounds)
{
    size_t len = 200 * 1024;
    char *text = malloc(len + 1);
    struct payload_values v;
    json_t *value;

    if (!CHECK(text))
        return;
    arena_init(&arena, NULL, 8 << 20);
    memset(text, '[', len);
    text[len] = '\0';
    CHECK(!payload_parse((struct slice){text, len})); /* too many values */
    memset(text, 'a', len);
    for (size_t i = 1; i < len; i += 2)
        text[i] = '|';
    value = json_stringn(text, len); /* longer than any value */
    payload_values(value, NULL, &arena, &v);
    CHECK(v.all);
    json_decref(value);
    value = json_stringn(text, 60 * 1024);
    payload_values(value, NULL, &arena, &v);
    CHECK(v.count <= PAYLOAD_MAX_VALUES);
    json_decref(value);
    free(text);
    arena_release(&arena);
}
