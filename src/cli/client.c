#include "cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <time.h>
#include "codec/escape.h"

static size_t receive(char *p, size_t size, size_t n, void *arg)
{
    buf_add(arg, (str){p, size * n});
    return size * n;
}

/* The server's reason: a JSON string, an object with message, or text. Printed as it is. */
static void say_refused(long status, str body)
{
    body = str_trim(body);
    fprintf(stderr, "tocsin: the server answered %ld%s%.*s\n", status, body.n != 0 ? ": " : "",
            STR(body));
}

int client_call(const struct client_flags *f, const char *method, const char *path, str body,
                struct buf *answer)
{
    CURL *c = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    char error[CURL_ERROR_SIZE] = "";
    struct buf url = BUF_INIT;
    str base = str_of(f->url);
    long status = 0;
    CURLcode rc;

    base = url_trim_slash(base);
    buf_addf(&url, "%s%.*s%s", str_find_str(base, S("://")) < 0 ? "http://" : "", STR(base), path);
    curl_easy_setopt(c, CURLOPT_URL, buf_z(&url));
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(f->timeout / NS_PER_MS));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "tocsin/" TOCSIN_VERSION);
    if (body.p != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)body.n);
    }
    rc = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(c);
    curl_slist_free_all(headers);
    buf_release(&url);
    if (rc != CURLE_OK) {
        fprintf(stderr, "tocsin: cannot reach %s: %s\n", f->url,
                error[0] != '\0' ? error : curl_easy_strerror(rc));
        return EXIT_UNREACHABLE;
    }
    if (status / 100 == 2)
        return EXIT_OK;
    say_refused(status, buf_str(answer));
    return EXIT_FAILED;
}

ts_ns client_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

bool client_matcher(const char *arg, bool first, struct arena *a, struct matcher *out)
{
    bool bare = first && strpbrk(arg, "=~!") == NULL;
    struct err e = ERR_INIT;
    str warning;
    bool ok = bare ? matcher_init(out, MATCH_EQ, S("alertname"), str_of(arg), &e)
                   : matcher_parse(str_of(arg), MATCHER_FALLBACK, a, out, &warning, &e);

    if (!ok)
        fprintf(stderr, "tocsin: '%s': %s\n", arg, e.msg);
    return ok;
}
