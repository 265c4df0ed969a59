/* A part a probe: one HTTP request a scrape, on a connection of its own, under blackbox exporter's names with the labels `probe`
 * and `target`. What was found is a result and no failure of the part; that it could not be tried at all (a secret that cannot
 * be read) is one. */
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include "codec/float.h"
#include "codec/url.h"
#include "collect/collect_conf.h"
#include "collect/json_field.h"
#include "collect/part.h"
#include "net/curl_setup.h"
#include "net/curl_verdict.h"
#include "regex/regex.h"

enum { PROBE_BODY_MAX = 1 << 20, PROBE_CERTIFICATES = 32 };

struct probe {
    struct part part;
    const struct collect_probe *conf;
    struct arena a; /* of texts */
    str target;
    struct regex *matches, *not_matches; /* NULL: none */
};

/* One try. */
struct probe_try {
    const struct probe *p;
    struct part_run *run;
    struct curl_handle h;
    struct buf body;
    bool is_too_large;
    CURLcode code;
    double took;
    struct arena a;
};

/* -- trying -- */

static size_t probe_on_body(char *p, size_t size, size_t n, void *arg)
{
    struct probe_try *t = arg;

    if (size * n > PROBE_BODY_MAX - t->body.n) {
        t->is_too_large = true;
        return 0;
    }
    buf_add(&t->body, (str){p, size * n});
    return size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct pollfd stop = {((struct probe_try *)arg)->run->stop_fd, POLLIN, 0};

    (void)a, (void)b, (void)c, (void)d;
    return poll(&stop, 1, 0) > 0; /* not 0: it ends */
}

static void set_limits(struct probe_try *t)
{
    CURL *c = t->h.easy;
    int left = part_left_ms(t->run->deadline);

    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, probe_on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0l);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
}

static bool try_it(struct probe_try *t, struct err *e)
{
    const struct collect_probe *c = t->p->conf;
    ts_ns begin = part_mono();
    struct curl_request rq = {
        .conf = c->http_config, .user_agent = S("tocsin/" TOCSIN_VERSION), .only_asks = true};

    rq.http.url = c->url;
    rq.http.body = c->body;
    rq.http.method = c->method.n != 0 ? c->method : c->body.n != 0 ? S("POST") : S("GET");
    if (!curl_aim(&t->h, c->url, &t->a, &rq.destination, e) || !curl_setup(&t->h, &rq, &t->a, e))
        return false;
    set_limits(t);
    t->code = curl_easy_perform(t->h.easy);
    t->took = (double)(part_mono() - begin) / 1e9;
    return true;
}

/* -- judging -- */

static long answer_status(const struct probe_try *t)
{
    long status = 0;

    curl_easy_getinfo(t->h.easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool status_is_well(const struct collect_probe *c, long status)
{
    char text[16];

    snprintf(text, sizeof(text), "%ld", status);
    for (size_t i = 0; i < c->status.n; i++)
        if (str_is(c->status.v[i], text) ||
            (str_ends_with(c->status.v[i], S("xx")) && c->status.v[i].p[0] == text[0]))
            return true;
    return c->status.n == 0 && status >= 200 && status <= 299;
}

static bool body_is_well(const struct probe_try *t)
{
    str body = buf_str(&t->body);

    return (t->p->matches == NULL || regex_matches(t->p->matches, body)) &&
           (t->p->not_matches == NULL || !regex_matches(t->p->not_matches, body));
}

static bool value_number(const struct collect_value *v, enum json_type type, str text, double *out,
                         struct err *e)
{
    for (size_t i = 0; i < v->words.n; i++)
        if (str_eq(v->words.v[i].name, text))
            return float_parse(v->words.v[i].value, out, e);
    if (type == JSON_BOOL) {
        *out = str_is(text, "true");
        return true;
    }
    return (type != JSON_NULL && float_parse(str_trim(text), out, NULL)) ||
           err_set(e, ERR_INVALID, "'%.*s' is no number, and no word of it", STR(v->field));
}

static bool read_value(struct probe_try *t, const struct collect_value *v, double *out,
                       struct err *e)
{
    enum json_type type;
    str text = STR_NONE;

    return json_field(buf_str(&t->body), v->field, &t->a, &type, &text, e) &&
           value_number(v, type, text, out, e);
}

/* The earliest end of a certificate that the server showed; 0: none. */
static double earliest_end(const struct probe_try *t)
{
    struct curl_certinfo *info = NULL;
    double first = 0;

    if (curl_easy_getinfo(t->h.easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
        return 0;
    for (int i = 0; i < info->num_of_certs && i < PROBE_CERTIFICATES; i++)
        for (struct curl_slist *line = info->certinfo[i]; line != NULL; line = line->next) {
            BIO *bio;
            X509 *x;
            struct tm tm;

            if (!str_starts_with(str_of(line->data), S("Cert:")))
                continue;
            bio = BIO_new_mem_buf(line->data + 5, -1);
            x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
            if (x != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1) {
                double end = (double)timegm(&tm);

                first = first == 0 || end < first ? end : first;
            }
            X509_free(x);
            BIO_free(bio);
        }
    return first;
}

/* -- printing -- */

static void put_probe(struct probe_try *t, const char *name, const char *help, double v)
{
    const struct expo_label l[] = {SHEET_LABEL("probe", t->p->conf->name),
                                   SHEET_LABEL("target", t->p->target)};

    sheet_begin(t->run->out, str_of(name), EXPO_GAUGE, str_of(help));
    sheet_put(t->run->out, l, ARRAY_LEN(l), v);
}

static void put_phase(struct probe_try *t, const char *phase, double v)
{
    const struct expo_label l[] = {SHEET_LABEL("phase", str_of(phase)),
                                   SHEET_LABEL("probe", t->p->conf->name),
                                   SHEET_LABEL("target", t->p->target)};

    sheet_begin(t->run->out, S("probe_http_duration_seconds"), EXPO_GAUGE,
                S("Duration of http request by phase, summed over all redirects"));
    sheet_put(t->run->out, l, ARRAY_LEN(l), v > 0 ? v : 0);
}

static double curl_seconds(const struct probe_try *t, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(t->h.easy, what, &us);
    return (double)us / 1e6;
}

static void put_phases(struct probe_try *t)
{
    double resolved = curl_seconds(t, CURLINFO_NAMELOOKUP_TIME_T),
           connected = curl_seconds(t, CURLINFO_CONNECT_TIME_T),
           secured = curl_seconds(t, CURLINFO_APPCONNECT_TIME_T),
           asked = curl_seconds(t, CURLINFO_PRETRANSFER_TIME_T),
           answered = curl_seconds(t, CURLINFO_STARTTRANSFER_TIME_T),
           all = curl_seconds(t, CURLINFO_TOTAL_TIME_T);

    put_phase(t, "resolve", resolved);
    put_phase(t, "connect", connected - resolved);
    put_phase(t, "tls", secured > 0 ? secured - connected : 0);
    put_phase(t, "processing", answered > 0 ? answered - asked : 0);
    put_phase(t, "transfer", answered > 0 ? all - answered : 0);
    put_probe(t, "probe_dns_lookup_time_seconds",
              "Returns the time taken for probe dns lookup in seconds", resolved);
}

static double http_version(const struct probe_try *t)
{
    long version = 0;

    curl_easy_getinfo(t->h.easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_0   ? 1.0
           : version == CURL_HTTP_VERSION_1_1 ? 1.1
           : version == CURL_HTTP_VERSION_2_0 ? 2.0
                                              : 0;
}

static void put_probe_answer(struct probe_try *t)
{
    char *ip = NULL;
    curl_off_t length = -1;
    long redirects = 0;
    double end = earliest_end(t);

    curl_easy_getinfo(t->h.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(t->h.easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(t->h.easy, CURLINFO_PRIMARY_IP, &ip);
    put_probe(t, "probe_http_status_code", "Response HTTP status code", (double)answer_status(t));
    put_probe(t, "probe_http_content_length", "Length of http content response", (double)length);
    put_probe(t, "probe_http_uncompressed_body_length", "Length of uncompressed response body",
              (double)t->body.n);
    put_probe(t, "probe_http_redirects", "The number of redirects", (double)redirects);
    put_probe(t, "probe_http_ssl", "Indicates if SSL was used for the final redirect",
              curl_seconds(t, CURLINFO_APPCONNECT_TIME_T) > 0);
    put_probe(t, "probe_http_version", "Returns the version of HTTP of the probe response",
              http_version(t));
    if (ip != NULL && ip[0] != '\0')
        put_probe(t, "probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6",
                  str_find(str_of(ip), ':') >= 0 ? 6 : 4);
    if (end != 0)
        put_probe(t, "probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime",
                  end);
}

/* False: one is missing, and why is in e. */
static bool put_values(struct probe_try *t, struct err *e)
{
    const struct collect_probe *c = t->p->conf;
    bool ok = true;

    for (size_t i = 0; i < c->values.n; i++) {
        const struct collect_value *v = &c->values.v[i];
        struct err why = ERR_INIT;
        double number;

        if (read_value(t, v, &number, &why)) {
            put_probe(t, arena_z(&t->a, v->metric),
                      v->help.n != 0 ? arena_z(&t->a, v->help)
                                     : arena_printf(&t->a, "'%.*s' of an answer.", STR(v->field)).p,
                      number);
            continue;
        }
        if (ok)
            *e = why;
        ok = false;
    }
    return ok;
}

/* -- the part -- */

static void probe_judge(struct probe_try *t)
{
    const struct collect_probe *c = t->p->conf;
    struct err why = ERR_INIT;
    bool body = true, ok;

    ok = t->code == CURLE_OK;
    if (t->is_too_large)
        err_set(&why, ERR_LIMIT, "the answer is larger than %d bytes", PROBE_BODY_MAX);
    else if (!ok)
        err_set(&why, ERR_IO, "%s", curl_failure_reason(&t->h, t->code, &t->a));
    put_phases(t);
    put_probe_answer(t);
    if (ok && !status_is_well(c, answer_status(t)))
        ok = err_set(&why, ERR_INVALID, "it answers %ld", answer_status(t));
    if (t->code == CURLE_OK) {
        body = body_is_well(t);
        if (ok && !body)
            ok = err_set(&why, ERR_INVALID, "the answer's text is not as it must be");
        if (!put_values(t, ok ? &why : &(struct err)ERR_INIT))
            ok = false;
    }
    put_probe(t, "probe_failed_due_to_regex", "Indicates if probe failed due to regex", !body);
    put_probe(t, "probe_success", "Displays whether or not the probe was a success", ok);
    put_probe(t, "probe_duration_seconds", "Returns how long the probe took to complete in seconds",
              t->took);
    buf_add(&t->run->note, str_of(ok ? "" : why.msg));
}

static bool probe_run(struct part *p, struct part_run *r, struct err *e)
{
    struct probe_try t = {.p = container_of(p, struct probe, part), .run = r};
    bool ok;

    arena_init(&t.a, 0);
    ok = try_it(&t, e);
    if (ok)
        probe_judge(&t);
    else
        put_probe(&t, "probe_success", "Displays whether or not the probe was a success", 0);
    curl_handle_release(&t.h);
    if (t.h.easy != NULL)
        curl_easy_cleanup(t.h.easy);
    buf_release(&t.body);
    arena_release(&t.a);
    return ok;
}

static void probe_free(struct part *p)
{
    struct probe *t = container_of(p, struct probe, part);

    regex_unref(t->matches);
    regex_unref(t->not_matches);
    arena_release(&t->a);
    mem_free(t);
}

/* Without what may be a secret: user, query, fragment. */
static str shown_target(str url, struct arena *a)
{
    struct url u;

    if (!url_parse_http(url, a, &u, NULL))
        return S("");
    u.user = u.password = u.query = u.fragment = STR_NONE;
    u.has_user = u.has_password = u.has_query = false;
    return url_print(&u, a);
}

static struct regex *probe_regex(str pattern)
{
    return pattern.n != 0 ? regex_compile(pattern, REGEX_DOTALL, NULL) : NULL;
}

struct part *probe_part_new(const struct collect_conf *c, const struct collect_probe *p)
{
    struct probe *t = mem_new(struct probe);

    arena_init(&t->a, 0);
    t->conf = p;
    t->part = (struct part){arena_printf(&t->a, "http/%.*s", STR(p->name)),
                            p->timeout != 0 ? p->timeout : c->timeout, probe_run, probe_free};
    t->target = shown_target(p->url, &t->a);
    t->matches = probe_regex(p->body_matches);
    t->not_matches = probe_regex(p->body_not_matches);
    return &t->part;
}
