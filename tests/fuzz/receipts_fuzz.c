/* What services post by themselves about calls: the first byte says whose it is and whether it is signed as it should be, the rest
 * is the body. Whatever was read can be noted in a row that waits for it, once, packed and read again. */
#include "tests_fuzz.h"

#include "model/outbox.h"
#include "notify/receipts.h"
#include "../../receivers/phone/phone.h"

static struct receipts_post signed_post(struct delivery *d, str url, str body, bool is_signed)
{
    static struct http_header header = {S_INIT("X-Twilio-Signature"), S_INIT("")};
    struct delivery_pair *v;
    size_t n = is_signed ? delivery_read_form(d, body, &v) : 0;
    struct buf b = BUF_INIT;

    buf_add(&b, url);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%.*s%.*s", STR(v[i].key), STR(v[i].value));
    header.value = delivery_base64(d, delivery_hmac_sha1(d, S("secret"), arena_take(d->arena, &b)));
    return (struct receipts_post){.headers = {&header, is_signed}, .body = body};
}

/* A row that waits for the call. */
static void note(str id, const struct receipt *x)
{
    const struct notification n = {.receiver = S("r"), .group_key = S("{}:{}")};
    const struct now now = {.wall = NS_PER_H, .mono = NS_PER_H};
    struct outbox_row *r =
        outbox_row_new(S("{}:{}:r/voice/0"), &n, S("voice"), 0, (struct hash_list){NULL, 0},
                       (struct hash_list){NULL, 0}, 0, now);
    const struct receipt *v;
    struct outbox_row *back;
    struct buf b = BUF_INIT;
    struct arena a;

    arena_init(&a, 0);
    buf_addf(&b, "+861 1 5 %.*s\n", STR(id));
    outbox_row_had(r, buf_str(&b));
    if (!outbox_row_hears(r, x) || outbox_row_hears(r, x))
        __builtin_trap();
    buf_clear(&b);
    outbox_pack(&b, r, now);
    back = outbox_unpack(r->key, buf_str(&b), now);
    if (back == NULL || outbox_receipts(back, &a, &v) != 1 || !str_eq(v[0].id, id) ||
        v[0].is_told != x->is_told)
        __builtin_trap();
    outbox_row_had(back, S("+861\n"));
    if (outbox_receipts(back, &a, &v) != 0)
        __builtin_trap();
    outbox_row_free(back);
    outbox_row_free(r);
    buf_release(&b);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    unsigned how = size != 0 ? data[0] : 0;
    struct phone_conf conf = {.provider = str_of(phone_providers[how % 4]),
                              .receipt_url = S("https://t.example/"),
                              .key_id = S("key"),
                              .secret_key = {.hidden = S("secret")}};
    const struct integration_conf ic = {.type = receiver_types[0], .conf = &conf};
    struct integration_conf voice = ic;
    struct receipts out;
    struct receipts_post post;
    struct delivery d = {0};
    struct err e = ERR_INIT;
    struct arena a;
    str url;

    for (const struct receiver_type *const *t = receiver_types; *t != NULL; t++)
        if ((*t)->receipts != NULL)
            voice.type = *t;
    arena_init(&a, 64 << 20);
    d.arena = &a;
    if (!receipts_url(&voice, &a, &url, &e))
        __builtin_trap();
    post = signed_post(&d, url, (str){(const char *)data + (size != 0), size - (size != 0)},
                       (how & 4) != 0);
    post.token = str_sub(url, url.n - 32, url.n);
    if (!receipts_is_for(&voice, &post, &a))
        __builtin_trap();
    if (receipts_read(&voice, &post, &a, &out, &e) == RECEIPTS_READ) {
        for (size_t i = 0; i < out.n; i++)
            note(out.v[i].id, &out.v[i]);
    } else if (e.msg[0] == '\0') {
        __builtin_trap();
    }
    arena_release(&a);
    return 0;
}
