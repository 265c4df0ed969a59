#include "net/oauth2.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "net/secret.h"

static bool is_supported(const struct oauth2_conf *c, struct err *e)
{
    if (c->grant_type.n == 0 || str_is(c->grant_type, "client_credentials"))
        return true;
    return err_set(e, ERR_UNSUPPORTED, "oauth2 grant type '%.*s' is not supported",
                   STR(c->grant_type));
}

static void add_keyed(struct buf *b, str s)
{
    buf_addf(b, "%zu:%.*s", s.n, STR(s));
}

/* A token that came over a connection which proves less is not for who wants more. */
static void add_tls(struct buf *b, const struct tls_conf *t)
{
    const struct secret parts[] = {t->ca, t->cert, t->key};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        add_keyed(b, parts[i].hidden);
        add_keyed(b, parts[i].file);
    }
    add_keyed(b, t->server_name);
    buf_addf(b, "%d,%d,%d|", t->insecure_skip_verify, (int)t->min_version, (int)t->max_version);
}

bool oauth2_key(const struct oauth2_conf *c, struct arena *a, str *key, struct err *e)
{
    struct buf b = BUF_INIT;
    str secret;

    if (!is_supported(c, e) || !secret_read(c->client_secret, a, &secret, e))
        return false;
    add_keyed(&b, c->token_url);
    add_keyed(&b, c->client_id);
    add_keyed(&b, secret);
    add_keyed(&b, c->proxy_url);
    add_tls(&b, &c->tls);
    for (size_t i = 0; i < c->n_scopes; i++)
        add_keyed(&b, c->scopes[i]);
    buf_addc(&b, '|');
    for (size_t i = 0; i < c->n_endpoint_params; i++) {
        add_keyed(&b, c->endpoint_params[i].name);
        add_keyed(&b, c->endpoint_params[i].value);
    }
    *key = arena_str(a, buf_str(&b));
    buf_release(&b);
    return true;
}

/* application/x-www-form-urlencoded */
static void add_form(struct buf *b, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_' || c == '.' || c == '~')
            buf_addc(b, c);
        else if (c == ' ')
            buf_addc(b, '+');
        else
            buf_addf(b, "%%%02X", (unsigned char)c);
    }
}

static void oauth2_add_pair(struct buf *b, str name, str value)
{
    if (b->n != 0)
        buf_addc(b, '&');
    add_form(b, name);
    buf_addc(b, '=');
    add_form(b, value);
}

static void add_scopes(struct buf *b, const struct oauth2_conf *c)
{
    struct buf all = BUF_INIT;

    for (size_t i = 0; i < c->n_scopes; i++) {
        if (i != 0)
            buf_addc(&all, ' ');
        buf_add(&all, c->scopes[i]);
    }
    if (all.n != 0)
        oauth2_add_pair(b, S("scope"), buf_str(&all));
    buf_release(&all);
}

static str basic(const struct oauth2_conf *c, str secret, struct arena *a)
{
    struct buf plain = BUF_INIT, out = BUF_INIT;
    str value;

    add_form(&plain, c->client_id);
    buf_addc(&plain, ':');
    add_form(&plain, secret);
    buf_adds(&out, "Basic ");
    base64_encode(&out, buf_str(&plain), BASE64_STD);
    value = arena_str(a, buf_str(&out));
    buf_release(&plain);
    buf_release(&out);
    return value;
}

bool oauth2_request(const struct oauth2_conf *c, bool in_body, struct arena *a,
                    struct http_request *out, struct err *e)
{
    struct http_header *h = arena_array(a, 2, sizeof(*h));
    struct buf b = BUF_INIT;
    str secret;

    if (!is_supported(c, e) || !secret_read(c->client_secret, a, &secret, e))
        return false;
    oauth2_add_pair(&b, S("grant_type"), S("client_credentials"));
    add_scopes(&b, c);
    for (size_t i = 0; i < c->n_endpoint_params; i++)
        oauth2_add_pair(&b, c->endpoint_params[i].name, c->endpoint_params[i].value);
    if (in_body) {
        oauth2_add_pair(&b, S("client_id"), c->client_id);
        oauth2_add_pair(&b, S("client_secret"), secret);
    }
    h[0] = (struct http_header){S("Content-Type"), S("application/x-www-form-urlencoded")};
    if (!in_body)
        h[1] = (struct http_header){S("Authorization"), basic(c, secret, a)};
    *out = (struct http_request){.method = S("POST"),
                                 .url = c->token_url,
                                 .headers = {h, in_body ? 1 : 2},
                                 .body = arena_str(a, buf_str(&b))};
    buf_release(&b);
    return true;
}

/* Some servers quote the number. */
static bool oauth2_read_seconds(struct json_reader *r, uint64_t *out)
{
    int64_t v = 0;
    str text;

    if (json_peek(r) == JSON_STRING) {
        if (!json_string(r, &text))
            return false;
        if (!str_to_u64(text, out))
            *out = 0;
        return true;
    }
    if (json_peek(r) == JSON_NULL)
        return json_null(r);
    if (!json_i64(r, &v))
        return false;
    *out = v > 0 ? (uint64_t)v : 0;
    return true;
}

bool oauth2_answer(str body, struct arena *a, str *token, uint64_t *expires_s, struct err *e)
{
    struct json_reader r;
    str key, found = STR_NONE;
    uint64_t expires = 0;

    json_reader_init(&r, body, a, 16);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "access_token"))
            json_string(&r, &found);
        else if (str_is(key, "expires_in"))
            oauth2_read_seconds(&r, &expires);
        else
            json_skip(&r);
    }
    if (!json_end(&r))
        return err_set(e, ERR_INVALID, "the answer is not JSON"); /* its text may hold a token */
    if (found.n == 0)
        return err_set(e, ERR_INVALID, "the answer has no access_token");
    *token = arena_str(a, found);
    *expires_s = expires;
    return true;
}
