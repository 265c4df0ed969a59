/* The receiver's part is pure but for the secret that it asks for: it gets a delivery without a notification. */
#include "notify/receipts.h"

#include "net/secret.h"

static bool receipts_secret(struct delivery *d, struct secret s, str *out)
{
    return secret_read(s, d->arena, out, &d->err);
}

static struct delivery receipts_delivery(const struct integration_conf *ic, struct arena *a)
{
    return (struct delivery){.conf = ic->conf, .arena = a, .secret = receipts_secret};
}

bool receipts_url(const struct integration_conf *ic, struct arena *a, str *out, struct err *e)
{
    struct delivery d = receipts_delivery(ic, a);

    if (ic->type->receipt_url == NULL)
        return false;
    if (ic->type->receipt_url(&d, out))
        return true;
    *e = d.err;
    return false;
}

bool receipts_is_token(str token)
{
    for (size_t i = 0; i < token.n; i++)
        if (!((token.p[i] >= '0' && token.p[i] <= '9') || (token.p[i] >= 'a' && token.p[i] <= 'f')))
            return false;
    return token.n >= 32;
}

bool receipts_is_for(const struct integration_conf *ic, const struct receipts_post *post,
                     struct arena *a)
{
    struct err e = ERR_INIT;
    str url;

    return receipts_is_token(post->token) && receipts_url(ic, a, &url, &e) &&
           url.n > post->token.n &&
           delivery_is_same(str_sub(url, url.n - post->token.n, url.n), post->token) &&
           url.p[url.n - post->token.n - 1] == '/';
}

enum receipts_verdict receipts_read(const struct integration_conf *ic,
                                    const struct receipts_post *post, struct arena *a,
                                    struct receipts *out, struct err *e)
{
    const struct http_answer answer = {.headers = post->headers, .body = post->body};
    struct delivery d = receipts_delivery(ic, a);
    enum receipts_verdict v;

    d.answer = &answer;
    d.now = post->now;
    *out = (struct receipts){.n = 0};
    v = ic->type->receipts(&d, out);
    *e = d.err;
    return v;
}
