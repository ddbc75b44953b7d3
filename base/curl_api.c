#include "curl_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static struct curl_api api;

static bool load_function(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);

    memcpy(function, &address, sizeof(address));
    return address != NULL;
}

static bool load_library(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    bool loaded = library != NULL;

#define CURL_API_LOAD(name) \
    loaded = loaded && load_function(library, "curl_" #name, &api.name);
    CURL_API_TABLE(CURL_API_LOAD)
#undef CURL_API_LOAD
    return loaded && api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct curl_api *curl_api(void)
{
    static bool tried, loaded;

    if (!tried) {
        tried = true;
        loaded =
            load_library("libcurl.so.4") || load_library("libcurl-gnutls.so.4");
    }
    return loaded ? &api : NULL;
}
