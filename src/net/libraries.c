#include "net/libraries.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include "base/mem.h"

static void *resize_bytes(void *p, size_t n)
{
    if (n != 0)
        return mem_resize(p, n, 1);
    mem_free(p);
    return NULL;
}

static void *crypto_alloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return mem_alloc(n);
}

static void *crypto_resize(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return resize_bytes(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    mem_free(p);
}

static char *duplicate(const char *z)
{
    return mem_zdup(str_of(z));
}

void libraries_set_up(void)
{
    BUG_ON(CRYPTO_set_mem_functions(crypto_alloc, crypto_resize, crypto_free) != 1);
    event_set_mem_functions(mem_alloc, resize_bytes, mem_free);
    BUG_ON(curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free, resize_bytes, duplicate,
                                mem_array) != CURLE_OK);
    /* It counts each allocation under one lock. */
    BUG_ON(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK);
}
