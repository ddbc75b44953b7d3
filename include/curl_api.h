/*
 * curl_api - libcurl, loaded when it is needed.
 *
 * Purpose:   libcurl and the libraries behind it would add 1.4 MiB to the idle
 *            daemon and 6 ms to its start, so it is not linked: who needs it
 *            asks for the table of its functions.
 * Ownership: the table is static; the library stays loaded.
 * Threads:   curl_api() first on the main thread, before others are started;
 *            the functions have libcurl's own rules.
 * Errors:    NULL if there is no libcurl, or it is older than 7.85.
 */
#ifndef CURL_API_H
#define CURL_API_H

#define CURL_DISABLE_TYPECHECK /* its macros name the functions */
#include <curl/curl.h>

/* clang-format off */
#define CURL_API_TABLE(X)                                          \
    X(easy_init) X(easy_setopt) X(easy_perform) X(easy_getinfo)    \
    X(easy_strerror) X(easy_cleanup) X(easy_reset) X(global_init)  \
    X(slist_append) X(slist_free_all)                              \
    X(multi_init) X(multi_setopt) X(multi_add_handle)              \
    X(multi_remove_handle) X(multi_perform) X(multi_poll)          \
    X(multi_wakeup) X(multi_info_read) X(multi_cleanup)
/* clang-format on */

struct curl_api {
#define CURL_API_MEMBER(name) __typeof__(&curl_##name) name;
    CURL_API_TABLE(CURL_API_MEMBER)
#undef CURL_API_MEMBER
};

const struct curl_api *curl_api(void);

#endif
