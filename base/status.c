/* The columns of the table, looked up by row. */
#include "status.h"

static const struct {
    const char *text;
    int http, grpc;
} rows[] = {
#define STATUS_ROW(name, text, http, grpc) {text, http, grpc},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

const char *status_text(enum status status)
{
    return rows[status].text;
}

int status_http(enum status status)
{
    return rows[status].http;
}

int status_grpc(enum status status)
{
    return rows[status].grpc;
}
