/* curl_late.c - libcurl, loaded when the first of its functions is called.
 *
 * Of the libraries that a start loads, two thirds are those of libcurl (TLS once more, Kerberos, LDAP, SSH): half of the
 * time of linting one small file, which calls none of them. So each of its functions that this program calls stands here by
 * its own name and calls the one that was loaded; who calls them knows nothing of it.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/attr.h"

/* curl_url_get() reads a const URL in newer headers. */
typedef __typeof__(_Generic(&curl_url_get,
                            CURLUcode (*)(const CURLU *, CURLUPart, char **, unsigned)
                            : (const CURLU *)NULL, default
                            : (CURLU *)NULL)) late_url;

/* Answers and parameters as curl's headers declare them; one that is called and not here does not link. */
#define FIXED(X)                                                                                   \
    X(CURLcode, curl_global_init, (long flags), (flags))                                           \
    X(CURLcode, curl_global_init_mem,                                                              \
      (long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,          \
       curl_strdup_callback s, curl_calloc_callback c),                                            \
      (flags, m, f, r, s, c))                                                                      \
    X(CURL *, curl_easy_init, (void), ())                                                          \
    X(CURLcode, curl_easy_perform, (CURL * e), (e))                                                \
    X(CURLcode, curl_easy_pause, (CURL * e, int how), (e, how))                                    \
    X(const char *, curl_easy_strerror, (CURLcode code), (code))                                   \
    X(CURLM *, curl_multi_init, (void), ())                                                        \
    X(CURLMcode, curl_multi_add_handle, (CURLM * m, CURL * e), (m, e))                             \
    X(CURLMcode, curl_multi_remove_handle, (CURLM * m, CURL * e), (m, e))                          \
    X(CURLMcode, curl_multi_cleanup, (CURLM * m), (m))                                             \
    X(CURLMcode, curl_multi_socket_action,                                                         \
      (CURLM * m, curl_socket_t fd, int events, int *running), (m, fd, events, running))           \
    X(CURLMcode, curl_multi_assign, (CURLM * m, curl_socket_t fd, void *p), (m, fd, p))            \
    X(CURLMsg *, curl_multi_info_read, (CURLM * m, int *left), (m, left))                          \
    X(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text),        \
      (list, text))                                                                                \
    X(CURLU *, curl_url, (void), ())                                                               \
    X(CURLUcode, curl_url_set, (CURLU * u, CURLUPart part, const char *text, unsigned flags),      \
      (u, part, text, flags))                                                                      \
    X(CURLUcode, curl_url_get, (late_url u, CURLUPart part, char **text, unsigned flags),          \
      (u, part, text, flags))                                                                      \
    X(const char *, curl_url_strerror, (CURLUcode code), (code))
#define FIXED_VOID(X)                                                                              \
    X(void, curl_global_cleanup, (void), ())                                                       \
    X(void, curl_easy_cleanup, (CURL * e), (e))                                                    \
    X(void, curl_easy_reset, (CURL * e), (e))                                                      \
    X(void, curl_slist_free_all, (struct curl_slist * list), (list))                               \
    X(void, curl_url_cleanup, (CURLU * u), (u))                                                    \
    X(void, curl_free, (void *p), (p))
/* One argument follows: a long, a curl_off_t or a pointer, which go the same way where all are 64 bits, and on others this
 * program is not built. */
#define OPEN(X)                                                                                    \
    X(CURLcode, curl_easy_setopt, CURL *, CURLoption)                                              \
    X(CURLcode, curl_easy_getinfo, CURL *, CURLINFO)                                               \
    X(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption)

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define POINTER_FIXED(answer, name, parameters, arguments) answer(*name) parameters;
#define POINTER_OPEN(answer, name, handle, option)         answer (*name)(handle, option, ...);
static struct curl_late {
    FIXED(POINTER_FIXED)
    FIXED_VOID(POINTER_FIXED)
    OPEN(POINTER_OPEN)
} late;
static pthread_once_t late_once = PTHREAD_ONCE_INIT;

static void late_fails(void) no_return;
static void late_fails(void)
{
    fprintf(stderr, "tocsin: libcurl cannot be loaded: %s\n", dlerror());
    exit(1);
}

static void late_find(void *library, const char *name, void *pointer)
{
    void *f = dlsym(library, name);
    if (f == NULL)
        late_fails();
    memcpy(pointer, &f, sizeof f);
}

static void late_load(void)
{
    void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    if (library == NULL)
        late_fails();
#define FIND_FIXED(answer, name, parameters, arguments) late_find(library, #name, &late.name);
#define FIND_OPEN(answer, name, handle, option)         late_find(library, #name, &late.name);
    FIXED(FIND_FIXED)
    FIXED_VOID(FIND_FIXED)
    OPEN(FIND_OPEN)
}

static const struct curl_late *late_curl(void)
{
    pthread_once(&late_once, late_load);
    return &late;
}

#define CALL_FIXED(answer, name, parameters, arguments)                                            \
    answer name parameters                                                                         \
    {                                                                                              \
        return late_curl()->name arguments;                                                        \
    }
#define CALL_VOID(answer, name, parameters, arguments)                                             \
    answer name parameters                                                                         \
    {                                                                                              \
        late_curl()->name arguments;                                                               \
    }
#define CALL_OPEN(answer, name, handle, option)                                                    \
    answer name(handle h, option what, ...)                                                        \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, what);                                                                        \
        void *value = va_arg(ap, void *);                                                          \
        va_end(ap);                                                                                \
        return late_curl()->name(h, what, value);                                                  \
    }
FIXED(CALL_FIXED)
FIXED_VOID(CALL_VOID)
OPEN(CALL_OPEN)
