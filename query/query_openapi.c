/*
 * GET /openapi.yaml: docs/openapi.yaml, as it was when the program was built.
 * web/embed.sh compresses it; the assembler puts it into the object.
 */
#include "query_request.h"

__asm__(".section .rodata\n"
        "query_openapi_begin:\n"
        ".incbin \"openapi.yaml.gz\"\n"
        "query_openapi_end:\n"
        ".previous\n");

extern const char query_openapi_begin[], query_openapi_end[];

static enum status get_openapi(struct query_request *request)
{
    static const struct http_file file = {.content_type = "application/yaml",
                                          .begin = query_openapi_begin,
                                          .end = query_openapi_end};

    request->file = &file;
    return OK;
}

const struct route routes_openapi[] = {
    {"GET", "/openapi.yaml", ACTION_ANY, SCOPE_NONE, get_openapi, NULL,
     SENDS_FILE, 0, NULL},
    {0},
};
