/*
 * GET /openapi.yaml: docs/openapi.yaml, as it was when the program was built.
 * The assembler puts the file into the object.
 */
#include "query_request.h"

__asm__(".section .rodata\n"
        "query_openapi_begin:\n"
        ".incbin \"docs/openapi.yaml\"\n"
        "query_openapi_end:\n"
        ".previous\n");

extern const char query_openapi_begin[], query_openapi_end[];

const struct http_file query_openapi = {"application/yaml", query_openapi_begin,
                                        query_openapi_end};
