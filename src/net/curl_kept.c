/* A handle is found by the text of its request's head. One that is of no use as it is gives its curl handle to the next:
 * to make one costs more than to set one up. */
#include "net/curl_kept.h"

#include <openssl/crypto.h>
#include "base/hash.h"
#include "base/mem.h"
#include "codec/pack.h"
#include "net/http_conf.h"

/* All that curl_aim() and curl_setup() read, but for the body. False: by hand, nothing tells one from another. */
static bool head_put(struct buf *b, const struct curl_request *rq)
{
    const struct http_request *h = &rq->http;

    if (rq->conf != NULL && rq->conf->number == 0)
        return false;
    pack_u64(b, rq->conf != NULL ? rq->conf->number : 0);
    pack_u64(b, (rq->only_asks ? 1u : 0u) | (h->body.n != 0 ? 2u : 0u) | (rq->is_short ? 4u : 0u));
    pack_str(b, h->method);
    pack_str(b, h->url);
    pack_str(b, h->ca_file);
    pack_str(b, rq->user_agent);
    pack_str(b, rq->token);
    for (size_t i = 0; i < h->headers.n; i++) {
        pack_str(b, h->headers.v[i].name);
        pack_str(b, h->headers.v[i].value);
    }
    return true;
}

static void head_wipe(struct buf *b)
{
    if (b->n != 0)
        OPENSSL_cleanse(b->p, b->n);
    buf_release(b);
}

/* Nothing stays but curl's handle, as a new one. */
static void kept_strip(struct curl_kept *h)
{
    CURL *easy = h->handle.easy;

    if (easy != NULL)
        curl_easy_reset(easy);
    h->handle.easy = NULL;
    curl_handle_release(&h->handle);
    h->handle.easy = easy;
    head_wipe(&h->head);
    mem_str_free(h->destination);
    h->destination = STR_NONE;
}

static void kept_free(struct curl_kept *h)
{
    kept_strip(h);
    curl_easy_cleanup(h->handle.easy);
    mem_free(h);
}

static struct curl_kept *keeper_take(struct curl_keeper *k, size_t at)
{
    struct curl_kept *h = k->v[at];

    k->n--;
    memmove(k->v + at, k->v + at + 1, (k->n - at) * sizeof(k->v[0]));
    return h;
}

struct curl_kept *curl_kept_take(struct curl_keeper *k, const struct curl_request *rq)
{
    struct buf head = BUF_INIT;
    bool is_known = head_put(&head, rq);
    uint64_t hash = hash_xxh64(buf_str(&head));
    struct curl_kept *h = NULL;

    for (size_t i = k->n; is_known && h == NULL && i-- > 0;)
        if (k->v[i]->hash == hash && str_eq(buf_str(&k->v[i]->head), buf_str(&head)))
            h = keeper_take(k, i);
    if (h != NULL) {
        head_wipe(&head);
        return h;
    }
    if (k->n > CURL_KEPT_MAX / 2) {
        h = keeper_take(k, 0);
        kept_strip(h);
    } else {
        h = mem_new(struct curl_kept);
    }
    h->head = head;
    h->hash = hash;
    return h;
}

void curl_kept_give(struct curl_keeper *k, struct curl_kept *h, const struct curl_request *rq,
                    bool is_well)
{
    if (!is_well || h->head.n == 0 || h->handle.reads_files)
        kept_strip(h);
    else if (h->destination.n == 0)
        h->destination = mem_str_dup(rq->destination);
    if (k->n == CURL_KEPT_MAX)
        kept_free(keeper_take(k, 0));
    if (h->head.n != 0) {
        k->v[k->n++] = h;
        return;
    }
    memmove(k->v + 1, k->v, k->n++ * sizeof(k->v[0]));
    k->v[0] = h; /* the first that is used for another */
}

void curl_keeper_release(struct curl_keeper *k)
{
    while (k->n != 0)
        kept_free(k->v[--k->n]);
}
