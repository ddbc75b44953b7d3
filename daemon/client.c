/*
 * One GET over a socket of our own, HTTP/1.0, so that the answer ends where the
 * connection does; then the JSON as text for people, or as it came.
 */
#include "client.h"

#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "jsonw.h"

enum { MAX_ANSWER = 64 << 20, MAX_EVIDENCE = 3, MAX_SUSPECTS = 5 };

struct options {
    const char *server, *namespace, *environment, *since, *target;
    bool json;
};

static int complain(const char *what, const char *which)
{
    fprintf(stderr, "callboard: %s%s\n", what, which);
    return 1;
}

static int usage(void)
{
    fputs("Usage: callboard cause PROJECT[/COMPONENT] [OPTION VALUE]...\n"
          "  --since DURATION    how far back the window begins (30m)\n"
          "  --namespace NAME    (default)\n"
          "  --environment NAME  (any)\n"
          "  --server HOST:PORT  of the query API (127.0.0.1:9097)\n"
          "  --json              the answer as it came\n",
          stderr);
    return 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.server = "127.0.0.1:9097",
                          .namespace = "default",
                          .environment = "",
                          .since = "30m"};
    for (int i = 2; i < argc; i++) {
        const char **to = strcmp(argv[i], "--since") == 0       ? &o->since
                          : strcmp(argv[i], "--namespace") == 0 ? &o->namespace
                          : strcmp(argv[i], "--server") == 0    ? &o->server
                          : strcmp(argv[i], "--environment") == 0
                              ? &o->environment
                              : NULL;

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (to) {
            if (++i == argc)
                return false;
            *to = argv[i];
        } else if (argv[i][0] == '-' || o->target) {
            return false;
        } else {
            o->target = argv[i];
        }
    }
    return o->target && o->target[0];
}

/* ---- the question ---- */

static void add_param(struct buf *path, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    buf_format(path, "&%s=", name);
    for (size_t i = 0; i < value.len; i++)
        buf_format(path, "%%%02X", (unsigned char)value.ptr[i]);
}

static void add_time(struct buf *path, const char *name, uint64_t ns)
{
    struct buf text;
    struct jsonw w;

    buf_init(&text, 64);
    jsonw_init(&w, &text);
    jsonw_time(&w, ns);
    struct slice quoted = buf_slice(&text);
    if (quoted.len > 2)
        add_param(path, name, (struct slice){quoted.ptr + 1, quoted.len - 2});
    buf_release(&text);
}

static bool make_path(const struct options *o, struct buf *path)
{
    const char *slash = strchr(o->target, '/');
    uint64_t since, now = clock_wall_ns();

    if (!clock_parse_duration(slice_of(o->since), &since) || since == 0 ||
        since >= now)
        return false;
    buf_add(path, SLICE("/api/v1/cause?"));
    add_param(path, "namespace", slice_of(o->namespace));
    add_param(path, "project",
              (struct slice){o->target, slash ? (size_t)(slash - o->target)
                                              : strlen(o->target)});
    add_param(path, "component", slice_of(slash ? slash + 1 : ""));
    add_param(path, "environment", slice_of(o->environment));
    add_time(path, "startTime", now - since);
    add_time(path, "endTime", now);
    return true;
}

/* ---- the socket ---- */

static int dial(const char *server)
{
    const char *colon = strrchr(server, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
    char host[256];
    int fd = -1;

    if (!colon || (size_t)(colon - server) >= sizeof(host))
        return -1;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - server), server);
    if (host[0] == '[' && host[strlen(host) - 1] == ']') { /* IPv6 */
        memmove(host, host + 1, strlen(host));
        host[strlen(host) - 1] = '\0';
    }
    if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
        return -1;
    for (a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static bool send_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        text = slice_from(text, (size_t)n);
    }
    return true;
}

/* Everything up to the end of the connection. */
static bool fetch(const char *server, struct slice path, struct buf *answer)
{
    struct buf request;
    int fd = dial(server);
    ssize_t n = -1;

    if (fd < 0)
        return false;
    buf_init(&request, 1 << 20);
    buf_format(&request, "GET %.*s HTTP/1.0\r\nHost: %s\r\n\r\n", (int)path.len,
               path.ptr, server);
    if (send_all(fd, buf_slice(&request))) {
        char part[16384];

        while ((n = recv(fd, part, sizeof(part), 0)) > 0)
            buf_add(answer, (struct slice){part, (size_t)n});
    }
    buf_release(&request);
    close(fd);
    return n == 0;
}

/* Status of the answer, 0 if it is none; *body behind its head. */
static int split(struct slice answer, struct slice *body)
{
    int status = 0;

    for (size_t i = 0; i + 4 <= answer.len; i++)
        if (memcmp(answer.ptr + i, "\r\n\r\n", 4) == 0) {
            *body = slice_from(answer, i + 4);
            if (sscanf(answer.ptr, "HTTP/%*d.%*d %d", &status) != 1)
                status = 0;
            return status;
        }
    return 0;
}

/* ---- for people ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* What a sender named may hold anything: a terminal gets no control bytes. */
static void print_text(const char *before, const char *text)
{
    fputs(before, stdout);
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text);
    putchar('\n');
}

static void print_suspect(const json_t *s)
{
    const json_t *list = json_object_get(s, "evidence");
    char line[256];

    snprintf(line, sizeof(line), "%lld. %.120s  (%s, score %.1f)",
             (long long)json_integer_value(json_object_get(s, "rank")),
             text_of(s, "component"), text_of(s, "party"),
             json_number_value(json_object_get(s, "score")));
    print_text("\n", line);
    if (text_of(s, "onset")[0])
        print_text("   since ", text_of(s, "onset"));
    if (text_of(s, "explainedBy")[0])
        print_text("   explained by ", text_of(s, "explainedBy"));
    for (size_t i = 0; i < json_array_size(list) && i < MAX_EVIDENCE; i++) {
        const json_t *e = json_array_get(list, i);
        const json_t *traces = json_object_get(e, "traceIds");

        print_text("   - ", text_of(e, "text"));
        if (json_array_size(traces) > 0)
            print_text("     trace ",
                       json_string_value(json_array_get(traces, 0)));
    }
}

static void print_special(const json_t *special)
{
    const json_t *list = json_object_get(special, "attributes");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *a = json_array_get(list, i);
        char line[512];

        snprintf(line, sizeof(line),
                 "%.100s = %.100s: %lld of %lld %s requests, %lld of %lld "
                 "others",
                 text_of(a, "key"), text_of(a, "value"),
                 (long long)json_integer_value(json_object_get(a, "failing")),
                 (long long)json_integer_value(json_object_get(a, "failingOf")),
                 text_of(special, "of"),
                 (long long)json_integer_value(json_object_get(a, "others")),
                 (long long)json_integer_value(json_object_get(a, "othersOf")));
        print_text(i == 0 ? "\nSpecial about them:\n  " : "  ", line);
    }
}

static void print_report(const json_t *answer)
{
    const json_t *summary = json_object_get(answer, "summary");
    const json_t *suspects = json_object_get(answer, "suspects");
    const json_t *excluded = json_object_get(answer, "excluded");

    print_text("Cause          ", text_of(summary, "cause"));
    if (text_of(summary, "firstFailure")[0])
        print_text("First failure  ", text_of(summary, "firstFailure"));
    if (text_of(summary, "impact")[0])
        print_text("Impact         ", text_of(summary, "impact"));
    if (!json_is_true(json_object_get(answer, "found")))
        return;
    for (size_t i = 0; i < json_array_size(suspects) && i < MAX_SUSPECTS; i++)
        print_suspect(json_array_get(suspects, i));
    print_special(json_object_get(answer, "special"));
    for (size_t i = 0; i < json_array_size(excluded); i++) {
        const json_t *e = json_array_get(excluded, i);

        print_text(i == 0 ? "\nNot the cause:\n  " : "  ",
                   text_of(e, "component"));
        print_text("    ", text_of(e, "why"));
    }
}

static int show(const struct options *o, struct slice body, int status)
{
    json_t *answer = json_loadb(body.ptr, body.len, 0, NULL);
    int code = 0;

    if (!answer)
        return complain("the answer is no JSON, from ", o->server);
    if (status != 200)
        code = complain("", text_of(answer, "message"));
    else if (o->json)
        printf("%.*s\n", (int)body.len, body.ptr);
    else
        print_report(answer);
    json_decref(answer);
    return code;
}

bool client_is_verb(const char *verb)
{
    return strcmp(verb, "cause") == 0;
}

int client_run(int argc, char **argv)
{
    struct buf path, answer;
    struct slice body;
    struct options o;
    int code, status;

    if (!parse(&o, argc, argv))
        return usage();
    buf_init(&path, 1 << 20);
    buf_init(&answer, MAX_ANSWER);
    if (!make_path(&o, &path)) {
        code =
            complain("--since: must be a duration such as 30m, not ", o.since);
    } else if (!fetch(o.server, buf_slice(&path), &answer) ||
               answer.status != OK ||
               (status = split(buf_slice(&answer), &body)) == 0) {
        code = complain("no answer from ", o.server);
    } else {
        code = show(&o, body, status);
    }
    buf_release(&path);
    buf_release(&answer);
    return code;
}
