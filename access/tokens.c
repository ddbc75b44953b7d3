/*
 * The table of tokens: two lists, that of the database and that of the file,
 * each with an index by hash. In: the text of a token. Out: its subject.
 */
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "tokens_int.h"
#include "yaml_json.h"

#define SAVE_USE_NS (10 * NS_PER_MIN)

static bool use_text(void *arg, const char *path, struct slice text,
                     char error[REREAD_ERROR]);

struct tokens *tokens_new(tokens_save *save, void *arg)
{
    struct tokens *tokens = mem_zero(1, sizeof(*tokens));

    tokens->save = save;
    tokens->arg = arg;
    pthread_mutex_init(&tokens->change, NULL);
    pthread_rwlock_init(&tokens->lock, NULL);
    tokens->reread = (struct reread_file){.name = "tokens",
                                          .secret = true,
                                          .max = TOKENS_FILE_MAX,
                                          .use = use_text,
                                          .arg = tokens};
    reread_file_init(&tokens->reread);
    return tokens;
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    token_list_release(&tokens->saved);
    token_list_release(&tokens->file);
    reread_file_release(&tokens->reread);
    pthread_rwlock_destroy(&tokens->lock);
    pthread_mutex_destroy(&tokens->change);
    free(tokens);
}

/* ---- lists ---- */

/* The hash is random, or was chosen by who may write the file. */
static uint32_t key_of(const uint8_t hash[TOKEN_HASH])
{
    uint32_t key;

    memcpy(&key, hash, sizeof(key));
    return key;
}

void token_list_add(struct token_list *list, struct token *token)
{
    struct token **at = array_append(&list->at, list->count, &list->room);

    *at = token;
    (void)map_add(&list->by_hash, key_of(token->hash), list->count++);
}

void token_list_remove(struct token_list *list, uint32_t at)
{
    struct token *last = list->at[list->count - 1];

    map_remove(&list->by_hash, key_of(list->at[at]->hash), at);
    token_free(list->at[at]);
    list->count--;
    if (at == list->count)
        return;
    map_remove(&list->by_hash, key_of(last->hash), list->count);
    list->at[at] = last;
    (void)map_add(&list->by_hash, key_of(last->hash), at);
}

struct token *token_list_swap(struct token_list *list, uint32_t at,
                              struct token *token)
{
    struct token *old = list->at[at];

    list->at[at] = token;
    return old;
}

void token_list_release(struct token_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        token_free(list->at[i]);
    free(list->at);
    map_release(&list->by_hash);
    *list = (struct token_list){.count = 0};
}

static struct token *find(const struct token_list *list,
                          const uint8_t hash[TOKEN_HASH])
{
    map_each(&list->by_hash, key_of(hash), at)
        if (memcmp(list->at[at]->hash, hash, TOKEN_HASH) == 0)
            return list->at[at];
    return NULL;
}

enum token_found tokens_find(struct tokens *tokens, struct slice text,
                             uint64_t now_ns, struct subject **subject)
{
    enum token_found found = TOKEN_UNKNOWN;
    uint64_t minute = now_ns / NS_PER_MIN * NS_PER_MIN;
    uint8_t hash[TOKEN_HASH];
    struct token *token;

    if (text.len != TOKEN_SIZE || !token_has_prefix(text))
        return TOKEN_UNKNOWN; /* the hash compares the rest */
    token_hash(text, hash);
    pthread_rwlock_rdlock(&tokens->lock);
    token = find(&tokens->saved, hash);
    if (!token)
        token = find(&tokens->file, hash);
    if (token) {
        uint64_t expires = token->subject->expires_ns;

        found = expires && expires <= now_ns ? TOKEN_EXPIRED : TOKEN_FOUND;
        if (found == TOKEN_FOUND) {
            *subject = subject_ref(token->subject);
            if (atomic_load(&token->used_ns) < minute) {
                atomic_store(&token->used_ns, minute);
                atomic_store(&tokens->used, true);
            }
        }
    }
    pthread_rwlock_unlock(&tokens->lock);
    return found;
}

/* ---- the database ---- */

enum status tokens_store(struct tokens *tokens)
{
    json_t *list = json_array();
    enum status status = ERR_IO;
    char *text;

    for (uint32_t i = 0; i < tokens->saved.count; i++)
        json_array_append_new(list, token_json(tokens->saved.at[i], false));
    text = json_dumps(list, JSON_COMPACT);
    if (text) {
        status = tokens->save(tokens->arg, slice_of(text));
        explicit_bzero(text, strlen(text));
    }
    free(text);
    json_decref(list);
    if (status == OK)
        atomic_store(&tokens->used, false);
    return status;
}

void tokens_save_use(struct tokens *tokens, uint64_t now_ns, bool all)
{
    if (!tokens || !atomic_load(&tokens->used) ||
        (!all && now_ns - tokens->use_saved_ns < SAVE_USE_NS))
        return;
    tokens->use_saved_ns = now_ns;
    pthread_mutex_lock(&tokens->change);
    if (tokens->saved.count > 0 && tokens_store(tokens) != OK)
        log_warn("access", "when API tokens were used last cannot be saved",
                 LOG_NONE);
    pthread_mutex_unlock(&tokens->change);
}

/* All objects of a list, or none. */
static bool read_list(const json_t *json, struct token_list *list,
                      char error[TOKENS_ERROR])
{
    char why[TOKENS_ERROR] = "";

    if (!json_is_array(json) || json_array_size(json) > TOKENS_MAX) {
        (void)snprintf(error, TOKENS_ERROR, "not a list of at most %d tokens",
                       TOKENS_MAX);
        return false;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct token *token = token_new(json_array_get(json, i), why);

        if (token && find(list, token->hash)) {
            token_free(token);
            token = NULL;
            (void)snprintf(why, sizeof(why), "the same token is there twice");
        }
        if (!token) {
            (void)snprintf(error, TOKENS_ERROR, "token %zu: %.200s", i + 1,
                           why);
            token_list_release(list);
            return false;
        }
        token_list_add(list, token);
    }
    return true;
}

enum status tokens_load(struct tokens *tokens, struct slice document)
{
    json_t *json = json_loadb(document.ptr, document.len, 0, NULL);
    char error[TOKENS_ERROR] = "";
    bool good = document.len == 0 || read_list(json, &tokens->saved, error);

    json_decref(json);
    if (!good)
        log_error("access", "saved tokens cannot be read",
                  log_text("reason", error));
    return good ? OK : ERR_CORRUPT;
}

/* When a token was used is known here, or by who saved it: the later counts. */
static void take_use(const struct token_list *from, struct token_list *to)
{
    for (uint32_t i = 0; i < to->count; i++) {
        const struct token *old = find(from, to->at[i]->hash);

        if (old &&
            atomic_load(&old->used_ns) > atomic_load(&to->at[i]->used_ns))
            atomic_store(&to->at[i]->used_ns, atomic_load(&old->used_ns));
    }
}

/* The caller holds `change`. */
static enum status replace_saved(struct tokens *tokens, struct slice document)
{
    struct tokens new = {.change = PTHREAD_MUTEX_INITIALIZER};
    enum status status = tokens_load(&new, document);
    struct token_list old;

    if (status != OK)
        return status;
    pthread_rwlock_wrlock(&tokens->lock);
    old = tokens->saved;
    take_use(&old, &new.saved);
    tokens->saved = new.saved;
    pthread_rwlock_unlock(&tokens->lock);
    token_list_release(&old);
    return OK;
}

enum status tokens_reload(struct tokens *tokens,
                          enum status (*load)(void *arg, struct arena *arena,
                                              struct slice *out),
                          void *arg)
{
    enum { MOST = 64 << 20 };
    struct arena arena;
    struct slice document = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, MOST);
    pthread_mutex_lock(&tokens->change);
    status = load(arg, &arena, &document);
    if (status == OK)
        status = replace_saved(tokens, document);
    pthread_mutex_unlock(&tokens->change);
    arena_release(&arena);
    return status;
}

/* ---- the file ---- */

static bool parse_file(struct slice text, struct token_list *list,
                       char error[TOKENS_ERROR])
{
    static const char *const members[] = {"tokens", NULL};
    json_t *json = yaml_json_parse(text, error), *rows = json;
    bool good = json != NULL;

    if (json_is_object(json)) {
        rows = json_object_get(json, "tokens");
        for (void *at = json_object_iter(json); at && good;
             at = json_object_iter_next(json, at))
            good = strcmp(json_object_iter_key(at), members[0]) == 0;
        if (!good)
            (void)snprintf(error, TOKENS_ERROR, "expected tokens: [...]");
    }
    if (good && rows && !json_is_null(rows))
        good = read_list(rows, list, error);
    json_decref(json);
    return good;
}

static void use_file(struct tokens *tokens, struct token_list *list)
{
    struct token_list old;

    pthread_mutex_lock(&tokens->change);
    pthread_rwlock_wrlock(&tokens->lock);
    old = tokens->file;
    tokens->file = *list;
    pthread_rwlock_unlock(&tokens->lock);
    pthread_mutex_unlock(&tokens->change);
    token_list_release(&old);
}

static bool use_text(void *arg, const char *path, struct slice text,
                     char error[REREAD_ERROR])
{
    struct token_list list = {.count = 0};
    uint32_t count;

    if (!parse_file(text, &list, error))
        return false;
    count = list.count;
    use_file(arg, &list);
    log_info("access", "tokens read", log_text("file", path),
             log_uint("tokens", count));
    return true;
}

bool tokens_read_file(struct tokens *tokens, const char *path)
{
    return reread_file(&tokens->reread, path);
}

bool tokens_note(struct tokens *tokens, struct buf *out)
{
    return reread_file_note(&tokens->reread, out);
}
