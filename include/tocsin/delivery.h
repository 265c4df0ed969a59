/* delivery.h - one attempt to tell one integration one notification, as the receiver sees it.
 *
 * A receiver is a step without I/O: it is called with no answer and says what to send, then with each answer and says
 * what it means. Everything about time, retries, limits, secrets on disk and records is done around it (src/notify).
 *
 *     enum delivery_verdict webhook_step(struct delivery *d)
 *     {
 *         if (d->answer == NULL) { d->request = ...; return DELIVERY_SEND_HTTP; }
 *         return delivery_judge_http(d, ...);
 *     }
 *
 * A step is pure: it may be run on any thread, and once more from where it began.
 *
 * Owns     requests, texts and kept pairs are allocated in d->arena, which lives for the attempt.
 * Errors   d->err says why for RETRY, RETRY_AFTER and FAILED; it must not hold secrets.
 * Source   design.md 2.12; the verdicts are those of ecosystem.md 1.0.
 */
#ifndef TOCSIN_DELIVERY_H
#define TOCSIN_DELIVERY_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/http.h"
#include "tocsin/notification.h"
#include "tocsin/secret.h"
#include "tocsin/smtp.h"
#include "tocsin/time.h"

enum delivery_verdict {
    DELIVERY_SEND_HTTP, /* d->request is filled */
    DELIVERY_SEND_SMTP, /* d->mail is filled */
    DELIVERY_SEND_TEXT, /* d->text goes to the terminal */
    DELIVERY_OK,
    DELIVERY_RETRY,       /* later, with backoff */
    DELIVERY_RETRY_AFTER, /* not before d->retry_after has passed */
    DELIVERY_FAILED,      /* for good; the next flush decides again */
};

enum delivery_failure { /* label "reason" of alertmanager_notifications_failed_total */
                        FAILURE_OTHER,
                        FAILURE_CLIENT,
                        FAILURE_SERVER,
                        FAILURE_AUTH,
                        FAILURE_RATE_LIMITED,
                        FAILURE_CANCELED,
                        FAILURE_DEADLINE,
};

struct delivery_pair {
    str key, value;
};

/* What a service says later, by itself, of what it has taken: how a call ended. It counts for the rows of which a line of `had`
 * ends with its id; the first of an id stands. */
struct receipt {
    str id;
    bool is_told;
    str why; /* it is not */
};

enum { RECEIPTS_MAX = 100 }; /* in one post */

struct receipts {
    struct receipt v[RECEIPTS_MAX];
    size_t n;
    str reply; /* JSON that the service wants to hear */
};

enum receipts_verdict {
    RECEIPTS_READ,
    RECEIPTS_REFUSED,    /* it is not the service: d->err */
    RECEIPTS_UNREADABLE, /* d->err */
};

struct delivery {
    /* what to send, with what */
    const struct notification *n;
    const void *conf; /* the receiver's own struct */
    str address; /* of the person whom it is for, as the key would say it; empty: those configured */
    str external_url; /* without trailing slash */
    bool colour;      /* the terminal shows colour */
    ts_ns now;        /* wall clock of this attempt */
    unsigned attempt; /* from 0 */
    void *owner;      /* of src/notify */
    struct arena *arena;
    /* Reads an inline or file secret, trimmed of trailing newlines; false fills d->err. */
    bool (*secret)(struct delivery *d, struct secret s, str *out);
    /* Expands a Go template over the notification's data; html: with contextual escaping. False fills d->err: such an
     * error is final, the next attempt would end the same way. For what says where to; texts: delivery_say(). */
    bool (*render)(struct delivery *d, str text, bool html, str *out);

    /* What earlier deliveries learned and no disk may see, such as an access token, by a name (a hash of all that it hangs
     * on); in memory only, for as long as was said. False: nothing is known. An empty value forgets. */
    bool (*recall)(struct delivery *d, str name, str *out);
    void (*remember)(struct delivery *d, str name, str value, dur_ns valid);
    /* A variable of the environment, for who is told where its secrets are like that (AWS); empty when it is not set. */
    str (*env)(struct delivery *d, const char *name);

    /* Of a robot that names people: AtMobiles in its templates. NULL: those have no such field. */
    const struct conf_strings *at_mobiles;

    /* What came back; NULL before the first request. lost: it did not come whole, d->err says why; it has a status and
     * headers if these came, and no body. */
    const struct http_answer *answer;
    bool lost;

    /* kept in the notification log after OK, given back next time (message ids) */
    const struct delivery_pair *kept;
    size_t n_kept;
    /* What is given back was kept of a digest, which told other groups, too: it is not changed; of who has ended it may be said
     * under it, and what fires goes by itself. delivery_kept_thread() */
    bool kept_of_digest;

    /* Of several people, or parts, those who need this notification no more: what an attempt that ended with a retry has put
     * here is there in the next one. delivery_had() and delivery_note_had() */
    str had;

    /* Of what stands there, what its service has said by itself meanwhile. */
    const struct receipt *receipts;
    size_t n_receipts;

    /* The step's own, between the requests of one part in one attempt: in d->arena, made anew for each request and never
     * changed, as the step may be run once more. NULL at the first. */
    const void *progress;

    /* A text that was cut because it is longer than its service takes: where the message may go in parts, or tell fewer groups,
     * the step is run again with less. delivery_note_long() */
    struct {
        size_t n, max;
    } too_long;

    /* what the step fills */
    struct http_request request;
    struct smtp_request mail;
    str text;
    dur_ns timeout; /* of the request; 0 = a minute */
    dur_ns retry_after;
    bool
        under_way; /* of RETRY_AFTER: nothing has failed; what was asked for takes its time, as a call that
                       rings does, and the next attempt asks how it went */
    enum delivery_failure failure;
    struct err err;
};

/* Go's JSON of alertmanager.md 5.2: the object without its closing brace, so that receivers can append members. */
struct buf;
void buf_add_json_str(struct buf *out, str s); /* quoted, as Go's encoder does */
void notification_json(struct buf *out, const struct notification *n, str external_url);
/* Whether every alert has the pair, among its labels or its annotations. */
bool notification_is_common(const struct notification *n, const struct label *l, bool annotations);
/* The first max alerts (0 = all), with the counts to match. Returns how many were cut. */
size_t notification_truncate(struct notification *n, size_t max);

/* Where to: what is configured, or a person's own address. The second of a list, of which each may be a template and give
 * several, parted by commas; one that fails gives none. */
str delivery_address(const struct delivery *d, str configured);
struct conf_strings;
void delivery_addresses(struct delivery *d, const struct conf_strings *configured,
                        struct conf_strings *out);
/* Whether an attempt before told who this part of the notification; that the n have been told, or are refused for good. */
bool delivery_had(const struct delivery *d, str who);
void delivery_note_had(struct delivery *d, const str *who, size_t n);

/* What was kept by that name; empty: nothing. Of a message to be changed, or, the second, of a digest under which the end of this
 * group is to be said. */
str delivery_kept(const struct delivery *d, str key);
str delivery_kept_thread(const struct delivery *d, str key);

/* Lower-case hex SHA-256 of the group key: what services call dedup key, alias or entity id. */
str delivery_group_hash(struct delivery *d);
str delivery_hash(struct delivery *d, str s);                  /* the same of any bytes */
str delivery_digest(struct delivery *d, str s);                /* SHA-256, 32 bytes */
str delivery_hmac(struct delivery *d, str key, str text);      /* HMAC-SHA256, 32 bytes */
str delivery_hmac_sha1(struct delivery *d, str key, str text); /* HMAC-SHA1, 20 bytes */
bool delivery_is_same(str a, str b);             /* signatures: the time taken says nothing */
str delivery_hex(struct delivery *d, str bytes); /* lower case */
str delivery_base64(struct delivery *d, str bytes);
/* HMAC-SHA256 of text under key, base64: signatures of robots. */
str delivery_sign(struct delivery *d, str key, str text);
str delivery_escape_query(struct delivery *d,
                          str s); /* everything but unreserved characters as %XX */
str delivery_escape_form(struct delivery *d,
                         str s); /* the same with + for a blank, as Go's forms */
str delivery_escape_path(struct delivery *d,
                         str s); /* what may stand in a path, slashes too, stays */
/* An address with more behind its path, in front of its query, which Go sorts; parameter: "a=b", or empty. */
str delivery_url(struct delivery *d, str url, str path, str parameter);
/* What of an address is signed: the host as its header has it, without a port that goes without saying. */
struct delivery_place {
    str host, path, query;
};
struct delivery_place delivery_place_of(str url);
/* Cuts to max runes: the first max - 1 and an ellipsis, or just max when that is 3 or less. */
str delivery_truncate_runes(struct delivery *d, str s, size_t max);
/* Cuts to max bytes, the ellipsis among them; a rune is left out rather than split. */
str delivery_truncate_bytes(struct delivery *d, str s, size_t max);
str delivery_truncate_markup(struct delivery *d, str s,
                             size_t max); /* the same; nor is an HTML entity split */

/* The message's text has n bytes or runes and is cut to max. The truncations above say so themselves, of texts that may have
 * 1,000 or more: what may be less is a title, or an answer that is shown. */
void delivery_note_long(struct delivery *d, size_t n, size_t max);

/* A label comes from whoever is scraped and must not wake whole channels; annotations are the rule author's, and may.
 * Each puts a notification in d->n's place. change gives the value as it may be shown. */
void delivery_change_labels(struct delivery *d, str (*change)(struct delivery *d, str value));
/* For the many that call people by @: @here, <@123>, @bob. An address a@b.example stays as it is. */
void delivery_call_nobody(struct delivery *d);

/* Fills d->request: a POST of the JSON in body, which is taken, and the newline that Go's encoder ends with. */
void delivery_post_json(struct delivery *d, str url, struct buf *body);

/* s with each needle as it shall be. */
str delivery_replace(struct delivery *d, str s, str needle, str by);

/* A template without HTML. What has no "{{" stands as it is. False: d->err is filled, the step ends with FAILED. */
bool delivery_expand(struct delivery *d, str text, str *out);

/* A template that people read: a page must come, so one that fails gives a plain line that says what is told and why
 * this is all. d->err keeps why; a delivery that ends OK with it is logged. */
str delivery_say(struct delivery *d, str text, bool html);

/* Of robots. Whom they name: templates, of which one may give several names, parted by commas, or none; one that fails names
 * nobody, for all are told. What stands behind a text so that it has one of the keywords that the robot is to look for. */
void delivery_expand_names(struct delivery *d, const struct conf_strings *in,
                           struct conf_strings *out);
str delivery_missing_keyword(struct delivery *d, str text, const struct conf_strings *keywords);

/* A member of a JSON object whose value is a template: rendered, cut to max_runes (0 = whole), left out when empty. */
struct delivery_member {
    const char *key;
    str text;
    bool always; /* written although empty */
    size_t max_runes;
    const char *instead; /* when the template fails, for what is no text; NULL: as delivery_say() */
};
str delivery_member_text(struct delivery *d, const struct delivery_member *m);
struct json_writer;
void delivery_put_members(struct delivery *d, struct json_writer *w,
                          const struct delivery_member *m, size_t n);

/* An object of texts, by name; v is sorted. */
void delivery_put_pairs(struct json_writer *w, struct delivery_pair *v, size_t n);
void delivery_sort_pairs(struct delivery_pair *v, size_t n);

/* Structured templating: strings of v are templates, what they give is read as YAML again. Maps are sorted by key. */
struct conf_value;
void delivery_put_value(struct delivery *d, struct json_writer *w, const struct conf_value *v);

/* The members called names[] of the answer's JSON object: strings decoded, lists of strings joined with commas, the rest
 * as written; absent and null ones are empty. They live in d->arena. False: the body is no JSON object. */
bool delivery_answer_read(struct delivery *d, const char *const *names, str *values, size_t n);
/* The same of any text, such as a member that is an object itself; values of objects and of lists within lists are as written. */
bool delivery_json_read(struct delivery *d, str json, const char *const *names, str *values,
                        size_t n);

/* The values, as written, of the answer's list called name; returns how many there are, of which the first max are in v. */
size_t delivery_answer_list(struct delivery *d, const char *name, str *v, size_t max);
/* Writes a JSON text anew, without its blanks. False, and nothing written: it is none. */
bool delivery_put_json(struct delivery *d, struct json_writer *w, str json);

/* The value of one member, by a way of members: "data.code". A string decoded, the rest as written. False: there is none, or the
 * body is no JSON. */
bool delivery_answer_member(struct delivery *d, str path, str *out);

/* The items of the list that the answer is, as written, at most max of them; returns how many there are, 0 when it is none. */
size_t delivery_answer_items(struct delivery *d, str *v, size_t max);
/* An HTML form: pairs, sorted by key. Returns how many. */
size_t delivery_read_form(struct delivery *d, str form, struct delivery_pair **out);

/* Whether a regular expression, which has been checked, is found in text that comes from outside. */
bool delivery_matches(struct delivery *d, str pattern, str text);

/* JSON of at most max bytes, as far as cutting its longest texts makes it so: whole runes, with an ellipsis. */
str delivery_cut_json(struct delivery *d, str json, size_t max);

/* The default judgement of an HTTP answer, by its status: 2xx OK; 429 and 503 with Retry-After RETRY_AFTER, of at most five
 * minutes; 429, 5xx and no status RETRY; anything else FAILED. Fills d->failure and d->err with the status and the first
 * line of the body. */
enum delivery_verdict delivery_judge_http(struct delivery *d);
/* The same for who reads the body, too: an answer that did not come whole is RETRY, whatever its status. */
enum delivery_verdict delivery_judge_whole(struct delivery *d);
/* Waits for as many seconds as the text says, rounded up, five minutes at most. False: it is no number. */
bool delivery_wait(struct delivery *d, str seconds);

/* What to change when an answer refuses: the first row whose status (0 = any) and words (NULL = any, else part of the
 * body) fit goes before d->err. The list ends with a row without advice. */
struct delivery_hint {
    int status;
    const char *words, *advice;
};
void delivery_explain(struct delivery *d, const struct delivery_hint *hints);
/* Puts what to do about it in front of what d->err says. */
void delivery_advise(struct delivery *d, const char *advice);

#endif
