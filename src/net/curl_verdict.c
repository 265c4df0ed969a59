#include "net/curl_verdict.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/mem.h"

#define LOST      "the connection was lost"
#define GOES_AWAY "the server is going away (HTTP/2 GOAWAY)"
#define TOO_MUCH  "the answer is larger than allowed"
#define ASKED     "; the server had asked for a client certificate, and "
#define NOT_HTTP  "what answers there does not speak HTTP"

enum { NAMES_MAX = 5, FREE_MIN = 16 };

static const struct {
    CURLcode code;
    enum transport_failure failure;
    bool is_reached;   /* it was there, and did not answer */
    const char *words; /* NULL: curl's own */
} verdicts[] = {
    {CURLE_COULDNT_RESOLVE_HOST, TRANSPORT_RESOLVE, false, NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, TRANSPORT_RESOLVE, false, NULL},
    {CURLE_COULDNT_CONNECT, TRANSPORT_CONNECT, false, NULL},
    {CURLE_PROXY, TRANSPORT_CONNECT, false, NULL},
    {CURLE_GOT_NOTHING, TRANSPORT_CONNECT, true, LOST},
    {CURLE_SEND_ERROR, TRANSPORT_CONNECT, true, LOST},
    {CURLE_RECV_ERROR, TRANSPORT_CONNECT, true, LOST},
    {CURLE_ABORTED_BY_CALLBACK, TRANSPORT_CONNECT, true, LOST}, /* before_request() */
    {CURLE_PARTIAL_FILE, TRANSPORT_CONNECT, true, LOST},
    {CURLE_HTTP2, TRANSPORT_CONNECT, true, LOST},
    {CURLE_HTTP2_STREAM, TRANSPORT_CONNECT, true, LOST},
    {CURLE_WEIRD_SERVER_REPLY, TRANSPORT_CONNECT, true, NOT_HTTP},
    {CURLE_TOO_MANY_REDIRECTS, TRANSPORT_CONNECT, true, NULL},
    {CURLE_SSL_CONNECT_ERROR, TRANSPORT_TLS, false, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, TRANSPORT_TLS, false, NULL},
    {CURLE_SSL_CIPHER, TRANSPORT_TLS, false, NULL},
    {CURLE_SSL_ISSUER_ERROR, TRANSPORT_TLS, false, NULL},
    {CURLE_SSL_INVALIDCERTSTATUS, TRANSPORT_TLS, false, NULL},
    {CURLE_SSL_CLIENTCERT, TRANSPORT_TLS, false, NULL},
    {CURLE_USE_SSL_FAILED, TRANSPORT_TLS, false,
     "the server offers no STARTTLS, and require_tls is set"},
    {CURLE_SSL_CERTPROBLEM, TRANSPORT_CONFIG, false,
     "the client certificate or its key is unusable"},
    {CURLE_SSL_CACERT_BADFILE, TRANSPORT_CONFIG, false, "the CA certificates are unusable"},
    {CURLE_URL_MALFORMAT, TRANSPORT_CONFIG, false, "the URL is malformed"},
    {CURLE_OPERATION_TIMEDOUT, TRANSPORT_TIMEOUT, true, "time is up"},
    {CURLE_FILESIZE_EXCEEDED, TRANSPORT_LIMIT, true, TOO_MUCH},
    {CURLE_WRITE_ERROR, TRANSPORT_LIMIT, true, TOO_MUCH}, /* only our callbacks refuse, for size */
};

static size_t verdict_of(CURLcode code)
{
    size_t i = 0;

    while (i < ARRAY_LEN(verdicts) && verdicts[i].code != code)
        i++;
    return i;
}

static bool curl_verdict_says(const struct curl_handle *h, const char *what)
{
    return strstr(h->error, what) != NULL;
}

/* -- what stands behind -- */

/* The proxy's answer to CONNECT, if that was no. */
static long refused_by_proxy(const struct curl_handle *h)
{
    long status = 0;

    curl_easy_getinfo(h->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status / 100 != 2 ? status : 0;
}

static const char *say_proxy(long status, struct arena *a)
{
    return arena_printf(a, "the proxy answered status %ld%s", status,
                        status == 407 ? ": it wants a login, or another one" : "")
        .p;
}

/* The name of the alert with which the server ended TLS, in OpenSSL's words. Of client certificates it may come as late as
 * the answer. */
static str alert_of(const struct curl_handle *h)
{
    static const char mark[] = " alert ";
    const char *at = strstr(h->error, mark);
    str name = at != NULL ? str_of(at + sizeof(mark) - 1) : STR_NONE;

    return str_cut(&name, ',');
}

static const char *say_alert(const struct curl_handle *h, str alert, struct arena *a)
{
    bool ours = str_find_str(alert, S("certificate")) >= 0 || str_is(alert, "unknown ca");
    const char *what = "TLS", *hint = "";

    if (!h->has_certificate && str_is(alert, "certificate required"))
        return "the server wants a client certificate, and tls_config has none";
    if (h->has_certificate && ours)
        what = "our client certificate";
    else if (!h->has_certificate && (ours || str_is(alert, "handshake failure")))
        hint = " (it may want a client certificate: tls_config has none)";
    return arena_printf(a, "the server refused %s: %.*s%s", what, STR(alert), hint).p;
}

/* What curl tells about the server's own certificate under a key, such as "Subject". */
static str certificate_says(const struct curl_handle *h, const char *key)
{
    struct curl_certinfo *ci = NULL;
    size_t n = strlen(key);

    if (curl_easy_getinfo(h->easy, CURLINFO_CERTINFO, &ci) != CURLE_OK || ci == NULL ||
        ci->num_of_certs < 1)
        return STR_NONE;
    for (struct curl_slist *l = ci->certinfo[0]; l != NULL; l = l->next)
        if (strncmp(l->data, key, n) == 0 && l->data[n] == ':')
            return str_of(l->data + n + 1);
    return STR_NONE;
}

static const char *say_names(const struct curl_handle *h, struct arena *a)
{
    str names = certificate_says(h, "X509v3 Subject Alternative Name"), all = STR_NONE;
    size_t n = 0;

    if (names.n == 0)
        names = certificate_says(h, "Subject");
    for (; names.n != 0 && n < NAMES_MAX; n++) {
        str name = str_trim(str_cut(&names, ','));

        all = arena_printf(a, "%.*s%s%.*s", STR(all), n != 0 ? ", " : "", STR(name));
    }
    if (n == 0)
        return h->error;
    return arena_printf(a, "%s; the certificate is for %.*s%s", h->error, STR(all),
                        names.n != 0 ? ", ..." : "")
        .p;
}

/* Whether hardly a descriptor is left: some may have come back since the failure. */
static rlim_t limit_is_reached(void)
{
    struct rlimit l;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        l.rlim_cur = RLIM_INFINITY;
    if (fd >= 0)
        close(fd);
    return fd < 0 || (rlim_t)fd + FREE_MIN > l.rlim_cur ? l.rlim_cur : 0;
}

static const char *say_unreached(const struct curl_handle *h, CURLcode code, struct arena *a)
{
    const char *words = h->error[0] != '\0' ? h->error : curl_easy_strerror(code);
    rlim_t limit = limit_is_reached();

    if (limit == 0)
        return words;
    return arena_printf(a, "too many open files, the limit is %ju (%s)", (uintmax_t)limit, words).p;
}

/* A request went out, and the way to send it again, which curl looked for, was not there. */
static bool is_lost(const struct curl_handle *h, CURLcode code)
{
    return h->has_asked && !h->has_heard &&
           (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
            code == CURLE_COULDNT_RESOLVE_PROXY);
}

/* -- the words -- */

enum transport_failure curl_failure(const struct curl_handle *h, CURLcode code)
{
    size_t i = verdict_of(code);

    if (code == CURLE_OK)
        return TRANSPORT_OK;
    if (alert_of(h).n != 0)
        return TRANSPORT_TLS;
    return i < ARRAY_LEN(verdicts) ? verdicts[i].failure : TRANSPORT_CONNECT;
}

const char *curl_failure_reason(const struct curl_handle *h, CURLcode code, struct arena *a)
{
    size_t i = verdict_of(code);
    enum transport_failure f = curl_failure(h, code);
    str alert = alert_of(h);
    long refused = refused_by_proxy(h);

    if (f == TRANSPORT_CONNECT && refused != 0)
        return say_proxy(refused, a);
    if (f == TRANSPORT_CONNECT && curl_verdict_says(h, "Proxy CONNECT aborted"))
        return "the proxy did not answer in HTTP";
    if (f == TRANSPORT_TLS && alert.n != 0)
        return say_alert(h, alert, a);
    if (code == CURLE_PEER_FAILED_VERIFICATION && curl_verdict_says(h, "match"))
        return say_names(h, a);
    if (code == CURLE_SSL_CONNECT_ERROR && curl_verdict_says(h, "wrong version number"))
        return "what answers there does not speak TLS";
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return curl_verdict_says(h, "Protocol \"") ? "it redirects to what is not HTTP" : NOT_HTTP;
    if (is_lost(h, code))
        return h->goes_away ? GOES_AWAY : LOST;
    if (code == CURLE_COULDNT_CONNECT || f == TRANSPORT_RESOLVE)
        return say_unreached(h, code, a);
    if (f == TRANSPORT_CONNECT && h->goes_away && code != CURLE_TOO_MANY_REDIRECTS)
        return GOES_AWAY;
    if (f == TRANSPORT_CONNECT && h->was_asked)
        return h->has_certificate ? LOST ASKED "may have refused ours"
                                  : LOST ASKED "tls_config has none";
    if (i < ARRAY_LEN(verdicts) && verdicts[i].words != NULL)
        return verdicts[i].words;
    return i < ARRAY_LEN(verdicts) && h->error[0] != '\0' ? h->error : curl_easy_strerror(code);
}

static bool is_reached(const struct curl_handle *h, CURLcode code)
{
    size_t i = verdict_of(code);

    return code == CURLE_UNSUPPORTED_PROTOCOL || is_lost(h, code) ||
           (i < ARRAY_LEN(verdicts) && verdicts[i].is_reached && refused_by_proxy(h) == 0 &&
            !curl_verdict_says(h, "Proxy CONNECT aborted"));
}

str curl_last_asked(const struct curl_handle *h, str destination, struct arena *a)
{
    struct curl_handle asked = {.easy = NULL};
    struct err ignored = ERR_INIT;
    str last;
    long redirects = 0;
    char *url = NULL;

    if (h->easy == NULL)
        return destination;
    curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(h->easy, CURLINFO_EFFECTIVE_URL, &url);
    if (redirects != 0 && url != NULL && curl_aim(&asked, str_of(url), a, &last, &ignored))
        destination = last;
    curl_handle_release(&asked);
    return destination;
}

void curl_failure_text(const struct curl_handle *h, str destination, CURLcode code, struct arena *a,
                       struct err *e)
{
    enum transport_failure f = curl_failure(h, code);

    err_set(e,
            f == TRANSPORT_TIMEOUT  ? ERR_TIMEOUT
            : f == TRANSPORT_LIMIT  ? ERR_LIMIT
            : f == TRANSPORT_CONFIG ? ERR_INVALID
                                    : ERR_IO,
            is_reached(h, code) ? "no answer from '%.*s': %s" : "cannot reach '%.*s': %s",
            STR(curl_last_asked(h, destination, a)), curl_failure_reason(h, code, a));
}
