/*
 * What it costs to identify who sent a request: by an API token among many,
 * and where no credential is asked for. Nanoseconds of CPU time.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "tokens.h"

enum { TOKENS = 1000, ROUNDS = 200000 };

static enum status save(void *arg, struct slice document)
{
    (void)arg;
    (void)document;
    return OK;
}

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Makes so many tokens; `header` has the last one. */
static bool make_tokens(struct tokens *tokens, char *header, size_t size)
{
    struct subject *all = subject_everyone();
    char error[TOKENS_ERROR];
    bool made = true;

    for (int i = 0; i < TOKENS && made; i++) {
        json_t *reply = NULL,
               *wanted = json_pack("{s:s, s:s, s:s}", "name", "ci", "role",
                                   "ingest", "namespace", "acme");

        made = tokens_create(tokens, all, wanted, &reply, error) == OK;
        if (made)
            snprintf(header, size, "Bearer %s",
                     json_string_value(json_object_get(reply, "token")));
        json_decref(reply);
        json_decref(wanted);
    }
    subject_free(all);
    return made;
}

static void measure(struct access *access, const char *header, const char *name)
{
    static const uint8_t address[16] = {[15] = 1};
    struct credential credential = {.authorization = slice_of(header),
                                    .address = address};
    uint64_t begin = cpu_ns();
    unsigned found = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct subject *subject = NULL;
        const char *why;

        found += access_identify(access, &credential, &subject, &why) == OK;
        subject_free(subject);
    }
    printf("%-28s %5.0f ns%s\n", name, (double)(cpu_ns() - begin) / ROUNDS,
           found == ROUNDS ? "" : ", REFUSED");
}

int main(void)
{
    struct tokens *tokens = tokens_new(save, NULL);
    struct access_options options = {.tokens = tokens};
    struct access *access;
    char header[256] = "";

    options.jwt = (struct jwt_options){"", "", "", "", "", "", 0, 0, false};
    if (!make_tokens(tokens, header, sizeof(header)) ||
        access_open(&access, &options) != OK)
        return 1;
    measure(access, header, "identify, not required");
    access_close(access);
    options.required = true;
    if (access_open(&access, &options) != OK)
        return 1;
    measure(access, header, "identify, one token of 1000");
    access_close(access);
    tokens_free(tokens);
    return 0;
}
