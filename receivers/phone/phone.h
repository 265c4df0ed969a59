/* phone.h - messages and calls to telephones: what the receivers `sms` and `voice` share, and the vendors that both go through.
 *
 * How a call went the vendor is asked, or says by itself at an address of ours: `receipt_url` and a token that is made of
 * `secret_key`, so that it is the same for all of an account, and nobody else can guess it. Where both are there, what comes
 * first counts.
 *
 * One request tells one number, so that what is wrong with one keeps nothing from the others. What an attempt has come to
 * stands in delivery->had, a line a number:
 *
 *     NUMBER               told
 *     NUMBER CALLS MS ID   called at MS, the CALLSth time; the vendor knows the call as ID
 *     NUMBER CALLS MS -    not to be called again before MS
 *     NUMBER 0 0 !         refused for good
 *
 * Units    MS: milliseconds of the wall clock.
 * Source   ecosystem.md 1.8.
 */
#ifndef PHONE_H
#define PHONE_H

#include "tocsin/buf.h"
#include "tocsin/receiver.h"

struct phone_conf { /* each receiver has keys for some of it */
    str provider, api_url, receipt_url, region, key_id, app_id, sign_name, from, template, text,
        language;
    struct secret secret_key;
    struct conf_strings numbers;
    struct conf_map parameters;
    int64_t max_length, play_times, calls;
    dur_ns answer_within, timeout;
};

extern const char *const phone_providers[]; /* ends with NULL */

/* What one request to a vendor came to; d->err says why but for the first three. */
enum phone_outcome {
    PHONE_TOLD,   /* taken; of a call: answered */
    PHONE_CALLED, /* the call was taken */
    PHONE_RINGS,  /* it is not over */
    PHONE_UNANSWERED,
    PHONE_LATER, /* after d->retry_after, when that is not 0 */
    PHONE_NEVER,
};

/* A way to tell a number: by message or by call. */
struct phone_way {
    const char *url;                          /* of the API, when "api_url" does not say */
    bool (*send)(struct delivery *d, str to); /* fills d->request; false: d->err */
    enum phone_outcome (*sent)(struct delivery *d, str *call);
    /* Of a call: how it went. NULL: the vendor has no such query, and unless it says so by itself a call that it takes counts as
     * answered. */
    bool (*ask)(struct delivery *d, str call, ts_ns at);
    enum phone_outcome (*asked)(struct delivery *d);
    /* What it says by itself, at url. */
    enum receipts_verdict (*receipts)(struct delivery *d, str url, struct receipts *out);
};

struct phone_vendor {
    const char *name, *title;
    bool has_template;  /* texts are approved beforehand and have parameters */
    bool is_named;      /* the parameters have names; else they are "1", "2", ... */
    bool wants_app_id;  /* which application sends */
    int64_t max_length; /* runes of a parameter */
    const char *const
        *not_in_parameters; /* pairs: what may not be there, what takes its place; ends with NULL */
    struct phone_way sms, call;
};

extern const struct phone_vendor phone_aliyun, phone_tencent, phone_huawei, phone_twilio;

const struct phone_vendor *phone_vendor_of(const struct phone_conf *k);

/* The receivers' check and step. */
void phone_check(struct conf_check *c, const struct phone_conf *k, bool calls);
enum delivery_verdict phone_step(struct delivery *d, bool calls);
bool phone_receipt_url(struct delivery *d, str *out);
enum receipts_verdict phone_receipts(struct delivery *d, struct receipts *out);

/* -- for vendors -- */

/* The address of the API, with a slash behind. */
str phone_url(const struct phone_conf *k, const struct phone_way *way);
bool phone_secret(struct delivery *d, str *out);
/* The parameter of that place: a template, cut and cleaned as the vendor wants it; never empty. */
str phone_parameter(struct delivery *d, size_t i);
/* All, as a JSON list of texts; an object when they have names. */
str phone_parameters(struct delivery *d);
/* Differs for each request. */
str phone_nonce(struct delivery *d, str to);
str phone_time(struct delivery *d, const char *format); /* strftime(), UTC */
/* A call is over; what there is no room for is not heard. */
void phone_receipt(struct receipts *out, str call, bool is_answered, str why);
/* 13800138000 is a number of China; everything else begins with its country. */
str phone_with_country(struct delivery *d, str to);

/* What an error means; a code that ends with * stands for all that begin so. The list ends with a row without code, which
 * is for all others. */
struct phone_code {
    const char *code;
    enum phone_outcome outcome;
    dur_ns wait;
    enum delivery_failure failure;
    const char *advice;
};
enum phone_outcome phone_by_code(struct delivery *d, const struct phone_code *codes, str code,
                                 str msg);
/* What no code came with: by the HTTP status. */
enum phone_outcome phone_by_status(struct delivery *d);

#endif
