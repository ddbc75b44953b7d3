/*
 * One GET over a socket of our own, HTTP/1.0, so that the answer ends where the
 * connection does; then the JSON as text for people (client_print.c), or as it
 * came.
 */
#include "client.h"

#include <jansson.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "jsonw.h"

enum { MAX_ANSWER = 64 << 20 };

struct client_options {
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
          "  --since DURATION    length of the window that ends now (30m)\n"
          "  --namespace NAME    (default)\n"
          "  --environment NAME  (any)\n"
          "  --server HOST:PORT  of the query API (127.0.0.1:9097)\n"
          "  --json              print the JSON answer\n",
          stderr);
    return 2;
}

static bool parse(struct client_options *o, int argc, char **argv)
{
    *o = (struct client_options){.server = "127.0.0.1:9097",
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

static void add_scope(struct buf *path, const struct client_options *o)
{
    const char *slash = strchr(o->target, '/');

    add_param(path, "namespace", slice_of(o->namespace));
    add_param(path, "project",
              (struct slice){o->target, slash ? (size_t)(slash - o->target)
                                              : strlen(o->target)});
    add_param(path, "component", slice_of(slash ? slash + 1 : ""));
    add_param(path, "environment", slice_of(o->environment));
}

static bool make_path(const struct client_options *o, struct buf *path)
{
    uint64_t since, now = clock_wall_ns();

    if (!clock_parse_duration(slice_of(o->since), &since) || since == 0 ||
        since >= now)
        return false;
    buf_add(path, SLICE("/api/v1/cause?"));
    add_scope(path, o);
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

/* ---- who is there ---- */

static int distance(const char *a, const char *b)
{
    int row[64];
    size_t n = strlen(b);

    if (n >= sizeof(row) / sizeof(*row))
        return INT_MAX;
    for (size_t k = 0; k <= n; k++)
        row[k] = (int)k;
    for (size_t i = 1; a[i - 1]; i++) {
        int corner = row[0];

        row[0] = (int)i;
        for (size_t k = 1; k <= n; k++) {
            int change = corner + (a[i - 1] != b[k - 1]);

            corner = row[k];
            row[k] = row[k] + 1 < change ? row[k] + 1 : change;
            row[k] = row[k - 1] + 1 < row[k] ? row[k - 1] + 1 : row[k];
        }
    }
    return row[n];
}

/* Components by this path, NULL if they cannot be had. */
static json_t *fetch_components(const char *server, struct slice path)
{
    struct buf answer;
    struct slice body;
    json_t *list = NULL;

    buf_init(&answer, MAX_ANSWER);
    if (fetch(server, path, &answer) && answer.status == OK &&
        split(buf_slice(&answer), &body) == 200)
        list = json_loadb(body.ptr, body.len, 0, NULL);
    buf_release(&answer);
    return list;
}

/* True also if it cannot be told. */
static bool is_there(const struct client_options *o)
{
    struct buf path;

    buf_init(&path, 1 << 20);
    buf_add(&path, SLICE("/api/v1/components?"));
    add_scope(&path, o);
    json_t *list = fetch_components(o->server, buf_slice(&path));
    bool there =
        !list || json_integer_value(json_object_get(list, "total")) > 0;
    json_decref(list);
    buf_release(&path);
    return there;
}

/* Of the components that there are the one whose names are nearest: a wrong
 * namespace is likelier than a wrong project. */
static const json_t *nearest(const struct client_options *o, const json_t *list)
{
    const char *slash = strchr(o->target, '/');
    const json_t *best = NULL;
    char project[256];
    int least = INT_MAX;

    (void)snprintf(project, sizeof(project), "%.*s",
                   slash ? (int)(slash - o->target) : (int)strlen(o->target),
                   o->target);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        int far = 4 * distance(project, client_text(c, "project")) +
                  distance(o->namespace, client_text(c, "namespace"));

        if (slash)
            far += 4 * distance(slash + 1, client_text(c, "component"));
        if (far < least) {
            best = c;
            least = far;
        }
    }
    return best;
}

static int complain_of_names(const struct client_options *o)
{
    json_t *list = fetch_components(o->server, SLICE("/api/v1/components"));
    const json_t *other = nearest(o, json_object_get(list, "components"));
    bool one = strchr(o->target, '/');

    fprintf(stderr, "callboard: there is no %s in namespace %s", o->target,
            o->namespace);
    if (other) {
        fputs("; did you mean ", stderr);
        client_put(stderr, client_text(other, "project"));
        fputs(one ? "/" : "", stderr);
        client_put(stderr, one ? client_text(other, "component") : "");
        fputs(" --namespace ", stderr);
        client_put(stderr, client_text(other, "namespace"));
        fputc('?', stderr);
    }
    fputc('\n', stderr);
    json_decref(list);
    return 1;
}

/* ---- the answer ---- */

static int show(const struct client_options *o, struct slice body, int status)
{
    json_t *answer = json_loadb(body.ptr, body.len, 0, NULL);
    int code = 0;

    if (!answer)
        return complain("the answer is no JSON, from ", o->server);
    if (status != 200)
        code = complain("", client_text(answer, "message"));
    else if (!json_is_true(json_object_get(answer, "found")) && !is_there(o))
        code = complain_of_names(o);
    else if (o->json)
        printf("%.*s\n", (int)body.len, body.ptr);
    else
        client_print_cause(answer);
    json_decref(answer);
    return code;
}

static int complain_of_server(const char *server)
{
    fprintf(stderr,
            "callboard: no answer from %s: is `callboard serve` running there? "
            "--server HOST:PORT says where its query API is\n",
            server);
    return 1;
}

bool client_is_verb(const char *verb)
{
    return strcmp(verb, "cause") == 0;
}

int client_run(int argc, char **argv)
{
    struct buf path, answer;
    struct slice body;
    struct client_options o;
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
        code = complain_of_server(o.server);
    } else {
        code = show(&o, body, status);
    }
    buf_release(&path);
    buf_release(&answer);
    return code;
}
