/*
 * API tokens: the first line is what a client sends, the rest the file of
 * --tokens. A token that is whole has one spelling; an object becomes a token
 * that says the same when it is saved and read again, or a reason.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "token.h"
#include "tokens_int.h"
#include "yaml_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(struct slice line)
{
    char password[256];
    size_t len = sizeof(password);

    if (token_is_whole(line))
        assert(token_id(line).len == TOKEN_ID && token_has_prefix(line));
    if (token_of_basic(line, password, &len))
        assert(len <= sizeof(password));
}

static void check_object(const json_t *object)
{
    char error[TOKENS_ERROR] = "";
    struct token *token = token_new(object, error), *again;
    json_t *json;

    assert(token || error[0]);
    if (!token)
        return;
    json = token_json(token, false);
    again = token_new(json, error);
    assert(again && again->subject->grants.count > 0 &&
           again->subject->expires_ns == token->subject->expires_ns &&
           again->subject->grants.count == token->subject->grants.count &&
           memcmp(again->hash, token->hash, TOKEN_HASH) == 0);
    json_decref(json);
    token_free(again);
    token_free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice line = slice_split(&rest, '\n');
    char error[YAML_ERROR] = "";
    json_t *json, *rows;

    check_token(line);
    json = yaml_json_parse(rest, error);
    if (!json && error[0] == '\0')
        abort();
    rows = json_is_object(json) ? json_object_get(json, "tokens") : json;
    for (size_t i = 0; i < json_array_size(rows); i++)
        check_object(json_array_get(rows, i));
    json_decref(json);
    return 0;
}
