/* The table of tokens: database, file, administration; who is identified. */
#include "tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "stats.h"
#include "test.h"

static char saved[65536];
static int saves;
static enum status save_status;

static enum status save(void *arg, struct slice document)
{
    (void)arg;
    saves++;
    if (save_status == OK) {
        CHECK(document.len < sizeof(saved));
        memcpy(saved, document.ptr, document.len);
        saved[document.len] = '\0';
    }
    return save_status;
}

static struct tokens *begin(void)
{
    saves = 0;
    saved[0] = '\0';
    save_status = OK;
    log_set_level(LOG_ERROR + 1);
    return tokens_new(save, NULL);
}

static char error[TOKENS_ERROR];

/* The token, or "" after a refusal, whose reason is in `error`. */
static const char *create(struct tokens *tokens, const struct subject *by,
                          const char *wanted, enum status expected)
{
    static char text[128];
    json_t *json = json_loads(wanted, 0, NULL), *reply = NULL;

    error[0] = '\0';
    CHECK(json != NULL);
    CHECK_EQ(tokens_create(tokens, by, json, &reply, error), expected);
    snprintf(text, sizeof(text), "%s",
             reply ? json_string_value(json_object_get(reply, "token")) : "");
    CHECK(!json_object_get(reply, "sha256"));
    json_decref(reply);
    json_decref(json);
    return text;
}

static enum token_found find(struct tokens *tokens, const char *text,
                             uint64_t later_ns)
{
    struct subject *subject = NULL;
    enum token_found found = tokens_find(tokens, slice_of(text),
                                         clock_wall_ns() + later_ns, &subject);

    CHECK_EQ(subject != NULL, found == TOKEN_FOUND);
    subject_free(subject);
    return found;
}

#define INGEST "{\"name\":\"ci\",\"role\":\"ingest\",\"namespace\":\"acme\"}"

TEST(a_token_is_found_until_it_is_revoked)
{
    struct tokens *tokens = begin(), *again;
    struct subject *all = subject_everyone();
    char text[128], id[16];

    strcpy(text, create(tokens, all, INGEST, OK));
    snprintf(id, sizeof(id), "%.8s", text + 4);
    CHECK_EQ(find(tokens, text, 0), TOKEN_FOUND);
    CHECK(!strstr(saved, text) && !strstr(saved, text + 20));
    again = tokens_new(save, NULL);
    CHECK_EQ(tokens_load(again, slice_of(saved)), OK);
    CHECK_EQ(find(again, text, 0), TOKEN_FOUND);
    CHECK_EQ(tokens_revoke(again, all, slice_of("aaaaaaaa"), error),
             ERR_NOT_FOUND);
    CHECK_EQ(tokens_revoke(again, all, slice_of(id), error), OK);
    CHECK_EQ(find(again, text, 0), TOKEN_UNKNOWN);
    CHECK(strcmp(saved, "[]") == 0);
    text[30] = text[30] == 'a' ? 'b' : 'a';
    CHECK_EQ(find(tokens, text, 0), TOKEN_UNKNOWN);
    tokens_free(again);
    tokens_free(tokens);
    subject_free(all);
}

static enum status load_saved(void *arg, struct arena *arena, struct slice *out)
{
    const char *document = arg;

    if (!document)
        return ERR_IO;
    *out = arena_copy(arena, slice_of(document));
    return OK;
}

TEST(tokens_of_another_instance)
{
    struct tokens *a = begin(), *b = tokens_new(save, NULL);
    struct subject *all = subject_everyone();
    char text[128], id[16];

    strcpy(text, create(a, all, INGEST, OK));
    CHECK_EQ(find(b, text, 0), TOKEN_UNKNOWN);
    CHECK_EQ(tokens_reload(b, load_saved, saved), OK);
    CHECK_EQ(find(b, text, 0), TOKEN_FOUND); /* and was used now */
    CHECK_EQ(tokens_reload(b, load_saved, saved), OK);
    tokens_save_use(b, clock_wall_ns(), true);
    CHECK(strstr(saved, "lastUsed") != NULL);
    CHECK_EQ(tokens_reload(b, load_saved, NULL), ERR_IO);
    CHECK_EQ(tokens_reload(b, load_saved, (char[]){"[1]"}), ERR_CORRUPT);
    CHECK_EQ(find(b, text, 0), TOKEN_FOUND); /* as before */
    snprintf(id, sizeof(id), "%.8s", text + 4);
    CHECK_EQ(tokens_revoke(a, all, slice_of(id), error), OK);
    CHECK_EQ(tokens_reload(b, load_saved, saved), OK);
    CHECK_EQ(find(b, text, 0), TOKEN_UNKNOWN);
    tokens_free(a);
    tokens_free(b);
    subject_free(all);
}

TEST(a_token_ends)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    char text[128];

    strcpy(text, create(tokens, all,
                        "{\"name\":\"a\",\"role\":\"viewer\",\"namespace\":"
                        "\"*\",\"expires\":\"1h\"}",
                        OK));
    CHECK_EQ(find(tokens, text, 0), TOKEN_FOUND);
    CHECK_EQ(find(tokens, text, NS_PER_HOUR), TOKEN_EXPIRED);
    tokens_free(tokens);
    subject_free(all);
}

TEST(what_is_wrong_with_a_wish_is_said)
{
    static const struct {
        const char *wanted, *reason;
    } rows[] = {
        {"{\"role\":\"ingest\",\"namespace\":\"a\"}", "name must have"},
        {"{\"name\":\"a\\u0007\",\"role\":\"ingest\",\"namespace\":\"a\"}",
         "name must have"},
        {"{\"name\":\"a\\u009b31m\",\"role\":\"ingest\",\"namespace\":\"a\"}",
         "name must have"},
        {"{\"name\":\"a\",\"namespace\":\"a\"}", "role is missing"},
        {"{\"name\":\"a\",\"role\":\"root\",\"namespace\":\"a\"}",
         "unknown role or action root"},
        {"{\"name\":\"a\",\"role\":\"ingest\"}", "namespace is missing"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"\"}",
         "namespace"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"component\":\"c\"}",
         "a component needs its project"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\",\"rol\":1}",
         "unknown member rol"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"sha256\":\"\"}",
         "unknown member sha256"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"expires\":\"soon\"}",
         "expires must be"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"expires\":\"2020-01-01T00:00:00Z\"}",
         "expires must be"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"expires\":1893456000}",
         "expires must be"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"expires\":\"\"}",
         "expires must be"},
        {"{\"name\":\"a\",\"role\":\"ingest\",\"namespace\":\"a\","
         "\"stamp\":\"maybe\"}",
         "stamp must be"},
        {"{\"name\":\"a\",\"grants\":[]}", "grants must be"},
        {"{\"name\":\"a\",\"grants\":[{\"role\":\"viewer\",\"namespace\":\"a\"}"
         "],\"namespace\":\"a\"}",
         "unknown member namespace"},
    };
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        create(tokens, all, rows[i].wanted, ERR_INVALID);
        if (!CHECK(strstr(error, rows[i].reason)))
            printf("# %s: %s\n", rows[i].wanted, error);
    }
    CHECK_EQ(saves, 0);
    tokens_free(tokens);
    subject_free(all);
}

static struct subject admin_of(struct grant *grant, const char *role,
                               const char *namespace)
{
    *grant = (struct grant){
        actions_named(slice_of(role)),
        {{slice_of(namespace), SLICE("*"), SLICE("*"), SLICE("*")}}};
    return (struct subject){.refs = 1,
                            .kind = SUBJECT_TOKEN,
                            .name = SLICE("boss"),
                            .grants = {grant, 1}};
}

TEST(nobody_gives_what_he_has_not)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    struct grant grant;
    struct subject boss = admin_of(&grant, "admin", "acme");
    json_t *list;
    char theirs[128], id[16];

    create(tokens, &boss, INGEST, OK);
    create(tokens, &boss,
           "{\"name\":\"a\",\"role\":\"viewer\",\"namespace\":\"evil\"}",
           ERR_FORBIDDEN);
    create(tokens, &boss,
           "{\"name\":\"a\",\"role\":\"viewer\",\"namespace\":\"*\"}",
           ERR_FORBIDDEN);
    strcpy(theirs,
           create(tokens, all,
                  "{\"name\":\"a\",\"role\":\"viewer\",\"namespace\":\"evil\"}",
                  OK));
    snprintf(id, sizeof(id), "%.8s", theirs + 4);
    list = tokens_list(tokens, &boss);
    CHECK_EQ(json_array_size(list), 1);
    json_decref(list);
    list = tokens_list(tokens, all);
    CHECK_EQ(json_array_size(list), 2);
    json_decref(list);
    CHECK_EQ(tokens_revoke(tokens, &boss, slice_of(id), error), ERR_NOT_FOUND);
    grant.actions = actions_named(SLICE("editor"));
    create(tokens, &boss, INGEST, ERR_FORBIDDEN);
    grant.actions = actions_named(SLICE("access:admin"));
    create(tokens, &boss, INGEST, ERR_FORBIDDEN); /* cannot write himself */
    tokens_free(tokens);
    subject_free(all);
}

TEST(a_rotated_token_ends_later)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    char old[128], id[16];
    json_t *reply = NULL;

    strcpy(old, create(tokens, all, INGEST, OK));
    snprintf(id, sizeof(id), "%.8s", old + 4);
    CHECK_EQ(
        tokens_rotate(tokens, all, slice_of(id), NS_PER_HOUR, &reply, error),
        OK);
    CHECK_EQ(find(tokens, json_string_value(json_object_get(reply, "token")),
                  2 * NS_PER_HOUR),
             TOKEN_FOUND);
    CHECK_EQ(find(tokens, old, 0), TOKEN_FOUND);
    CHECK_EQ(find(tokens, old, 2 * NS_PER_HOUR), TOKEN_EXPIRED);
    json_decref(reply);
    tokens_free(tokens);
    subject_free(all);
}

/* Its end was shortened: a second token would end as soon. */
TEST(a_token_that_was_replaced_or_has_expired_is_not_rotated)
{
    struct tokens *tokens = begin(), *again = tokens_new(save, NULL);
    struct subject *all = subject_everyone();
    json_t *reply = NULL, *none = NULL;
    char id[16], expired[4096];
    const char *next;

    snprintf(id, sizeof(id), "%.8s", create(tokens, all, INGEST, OK) + 4);
    CHECK_EQ(tokens_rotate(tokens, all, slice_of(id), 0, &reply, error), OK);
    CHECK(!json_object_get(reply, "expires"));
    next = json_string_value(json_object_get(reply, "id"));
    CHECK_EQ(tokens_load(again, slice_of(saved)), OK);
    CHECK_EQ(tokens_rotate(again, all, slice_of(id), NS_PER_HOUR, &none, error),
             ERR_INVALID);
    CHECK(strstr(error, next) && !none);
    CHECK_EQ(
        tokens_rotate(again, all, slice_of(next), NS_PER_HOUR, &none, error),
        OK);
    json_decref(none);
    tokens_free(again);
    snprintf(expired, sizeof(expired),
             "[{\"name\":\"a\",\"id\":\"old\",\"sha256\":\"%064d\",\"role\":"
             "\"viewer\",\"namespace\":\"*\",\"expires\":"
             "\"2020-01-01T00:00:00Z\"}]",
             0);
    again = tokens_new(save, NULL);
    CHECK_EQ(tokens_load(again, slice_of(expired)), OK);
    CHECK_EQ(tokens_rotate(again, all, SLICE("old"), NS_PER_HOUR, &none, error),
             ERR_INVALID);
    CHECK(strstr(error, "has expired"));
    tokens_free(again);
    json_decref(reply);
    tokens_free(tokens);
    subject_free(all);
}

/* Neither the new token nor the end of the old one. */
TEST(a_rotation_that_cannot_be_saved_changes_nothing)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    char old[128], id[16];
    json_t *reply = NULL, *list;

    strcpy(old, create(tokens, all, INGEST, OK));
    snprintf(id, sizeof(id), "%.8s", old + 4);
    save_status = ERR_IO;
    CHECK_EQ(
        tokens_rotate(tokens, all, slice_of(id), NS_PER_HOUR, &reply, error),
        ERR_IO);
    CHECK(!reply);
    CHECK_EQ(find(tokens, old, 2 * NS_PER_HOUR), TOKEN_FOUND);
    list = tokens_list(tokens, all);
    CHECK_EQ(json_array_size(list), 1);
    json_decref(list);
    save_status = OK;
    saves = 0;
    CHECK_EQ(
        tokens_rotate(tokens, all, slice_of(id), NS_PER_HOUR, &reply, error),
        OK);
    CHECK_EQ(saves, 1);
    json_decref(reply);
    tokens_free(tokens);
    subject_free(all);
}

TEST(what_cannot_be_saved_is_not_given_out)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    json_t *list;

    save_status = ERR_IO;
    create(tokens, all, INGEST, ERR_IO);
    list = tokens_list(tokens, all);
    CHECK_EQ(json_array_size(list), 0);
    json_decref(list);
    tokens_free(tokens);
    subject_free(all);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    static int64_t second = 1700000000;
    struct timespec times[2] = {{.tv_sec = second}, {.tv_sec = second}};
    FILE *file = fopen(path, "w");

    second++;
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
    utimensat(AT_FDCWD, path, times, 0);
}

TEST(a_broken_file_keeps_what_was_read)
{
    char path[] = "/tmp/callboard-tokens-XXXXXX", text[128], file[512];
    struct tokens *tokens = begin(), *maker = begin();
    struct subject *all = subject_everyone();
    json_t *doc;
    struct buf note;

    close(mkstemp(path));
    strcpy(text, create(maker, all, INGEST, OK));
    doc = json_loads(saved, 0, NULL);
    snprintf(
        file, sizeof(file),
        "tokens:\n  - {name: ci, sha256: %s, role: ingest, namespace: "
        "acme}\n",
        json_string_value(json_object_get(json_array_get(doc, 0), "sha256")));
    json_decref(doc);
    write_file(path, file, 0600);
    CHECK(tokens_read_file(tokens, path));
    CHECK_EQ(find(tokens, text, 0), TOKEN_FOUND);
    buf_init(&note, 1024);
    CHECK(!tokens_note(tokens, &note));
    write_file(path, "tokens: [{name: x", 0600);
    CHECK(!tokens_read_file(tokens, path));
    CHECK_EQ(find(tokens, text, 0), TOKEN_FOUND);
    CHECK(tokens_note(tokens, &note));
    write_file(path, file, 0644); /* others can read it */
    CHECK(!tokens_read_file(tokens, path));
    write_file(path, "tokens:\n", 0600);
    CHECK(tokens_read_file(tokens, path));
    CHECK(!tokens_note(tokens, &note));
    CHECK_EQ(find(tokens, text, 0), TOKEN_UNKNOWN);
    CHECK_EQ(tokens_revoke(tokens, all, SLICE("nothing"), error),
             ERR_NOT_FOUND);
    buf_release(&note);
    unlink(path);
    tokens_free(maker);
    tokens_free(tokens);
    subject_free(all);
}

/* ---- identification ---- */

static struct access *door;
static const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [15] = 7};

static enum status identify(const char *authorization, const char **why)
{
    struct credential credential = {.address = address};
    struct subject *subject = NULL;
    enum status status;

    if (authorization)
        credential.authorization = slice_of(authorization);
    status = access_identify(door, &credential, &subject, why);
    CHECK_EQ(subject != NULL, status == OK);
    subject_free(subject);
    return status;
}

TEST(credentials_of_all_spellings)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    struct access_options options = {.required = true, .tokens = tokens};
    char token[128], text[256];
    const char *why;

    strcpy(token, create(tokens, all, INGEST, OK));
    CHECK_EQ(access_open(&door, &options), OK);
    snprintf(text, sizeof(text), "Bearer %s", token);
    CHECK_EQ(identify(text, &why), OK);
    snprintf(text, sizeof(text), "bEARER   %s ", token);
    CHECK_EQ(identify(text, &why), OK);
    snprintf(text, sizeof(text), "Bearer%s", token);
    CHECK_EQ(identify(text, &why), ERR_UNAUTHENTICATED);
    CHECK(strcmp(why, "INVALID_TOKEN") == 0);
    snprintf(text, sizeof(text), "Bearer %s x", token);
    CHECK_EQ(identify(text, &why), ERR_UNAUTHENTICATED);
    CHECK_EQ(identify(token, &why), ERR_UNAUTHENTICATED);
    CHECK_EQ(identify("Basic !!!", &why), ERR_UNAUTHENTICATED);
    CHECK(strcmp(why, "INVALID_TOKEN") == 0);
    CHECK_EQ(identify(NULL, &why), ERR_UNAUTHENTICATED);
    CHECK(strcmp(why, "MISSING_TOKEN") == 0);
    CHECK_EQ(identify("", &why), ERR_UNAUTHENTICATED);
    CHECK_EQ(identify("Bearer", &why), ERR_UNAUTHENTICATED);
    CHECK(strcmp(why, "MISSING_TOKEN") == 0);
    access_close(door);
    tokens_free(tokens);
    subject_free(all);
}

static void check_counted(const char *authorization, enum stats_id outcome)
{
    static const enum stats_id all[] = {
        STATS_AUTH_TOKEN_OK, STATS_AUTH_TOKEN_UNKNOWN, STATS_AUTH_TOKEN_EXPIRED,
        STATS_AUTH_MISSING};
    uint64_t before[4];
    const char *why;

    for (int i = 0; i < 4; i++)
        before[i] = stats_get(all[i]);
    (void)identify(authorization, &why);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(stats_get(all[i]) - before[i], all[i] == outcome);
}

TEST(requests_are_counted_by_credential_and_outcome)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    struct access_options options = {.required = true, .tokens = tokens};
    struct grant grant;
    struct subject boss = admin_of(&grant, "admin", "acme");
    char text[256], id[16], refusal[ACCESS_REFUSAL_MAX];
    json_t *reply = NULL;
    uint64_t denied = stats_get(STATS_AUTH_TOKEN_DENIED);

    snprintf(text, sizeof(text), "Bearer %s", create(tokens, all, INGEST, OK));
    snprintf(id, sizeof(id), "%.8s", text + strlen("Bearer cbt_"));
    CHECK_EQ(access_open(&door, &options), OK);
    check_counted(text, STATS_AUTH_TOKEN_OK);
    check_counted(NULL, STATS_AUTH_MISSING);
    check_counted("Bearer x", STATS_AUTH_TOKEN_UNKNOWN);
    check_counted("Digest x", STATS_AUTH_TOKEN_UNKNOWN);
    CHECK_EQ(tokens_rotate(tokens, all, slice_of(id), 0, &reply, error), OK);
    check_counted(text, STATS_AUTH_TOKEN_EXPIRED);
    access_refusal(refusal, &boss, ACTION_WRITE, NULL);
    CHECK_EQ(stats_get(STATS_AUTH_TOKEN_DENIED), denied + 1);
    json_decref(reply);
    access_close(door);
    tokens_free(tokens);
    subject_free(all);
}

TEST(too_many_wrong_credentials_are_limited_and_right_ones_are_not)
{
    struct tokens *tokens = begin();
    struct subject *all = subject_everyone();
    struct access_options options = {.required = true, .tokens = tokens};
    char text[256];
    const char *why;
    enum status status = OK;
    int tries = 0;

    snprintf(text, sizeof(text), "Bearer %s", create(tokens, all, INGEST, OK));
    CHECK_EQ(access_open(&door, &options), OK);
    while ((status = identify("Bearer x", &why)) == ERR_UNAUTHENTICATED)
        tries++;
    CHECK_EQ(status, ERR_LIMITED);
    CHECK(tries >= 50 && tries < 100);
    CHECK_EQ(identify(text, &why), OK);
    CHECK_EQ(identify(NULL, &why), ERR_UNAUTHENTICATED);
    access_close(door);
    tokens_free(tokens);
    subject_free(all);
}
