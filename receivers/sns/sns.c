/* sns.c - Amazon SNS: Publish of the query API, signed by SigV4; perhaps by a role that STS gives first.
 *
 * Source   AWS Signature Version 4; the order of credentials is that of Amazon's SDK: keys given here, the profile given here,
 *          the environment, the profile of the environment. */
#include <time.h>
#include "tocsin/buf.h"
#include "tocsin/receiver.h"

struct sns_sigv4 {
    str region, access_key, profile, role_arn, external_id, service_name;
    struct secret secret_key;
    bool use_fips_sts_endpoint;
};

struct sns_conf {
    str api_url, topic_arn, phone_number, target_arn, subject, message;
    struct sns_sigv4 sigv4;
    struct conf_map attributes;
    bool use_aws_http_client;
};

static void check_sigv4(struct conf_check *c, void *obj)
{
    const struct sns_sigv4 *s = obj;

    if ((s->access_key.n != 0) != secret_is_set(s->secret_key))
        conf_error(c, NULL, "\"access_key\" and \"secret_key\" must be given together");
    if (s->external_id.n != 0 && s->role_arn.n == 0)
        conf_error(c, "external_id", "needs \"role_arn\"");
}

static const struct conf_key sigv4_keys[] = {
    CONF_KEY(struct sns_sigv4, region, CONF_STRING, "AWS region"),
    CONF_KEY(struct sns_sigv4, access_key, CONF_STRING, "access key"),
    CONF_KEY(struct sns_sigv4, secret_key, CONF_SECRET, "secret key", .flags = CONF_NO_FILE),
    CONF_KEY(struct sns_sigv4, profile, CONF_STRING, "profile of the AWS configuration"),
    CONF_KEY(struct sns_sigv4, role_arn, CONF_STRING, "role to assume"),
    CONF_KEY(struct sns_sigv4, external_id, CONF_STRING, "external id for that"),
    CONF_KEY(struct sns_sigv4, use_fips_sts_endpoint, CONF_BOOL, "assume it at a FIPS endpoint"),
    CONF_KEY(struct sns_sigv4, service_name, CONF_STRING, "service to sign for"),
    CONF_KEYS_END,
};
static const struct conf_type sigv4_type = {.name = "sigv4",
                                            .doc = "AWS credentials.",
                                            .keys = sigv4_keys,
                                            .size = sizeof(struct sns_sigv4),
                                            .check = check_sigv4};

static const struct conf_key keys[] = {
    CONF_KEY(struct sns_conf, api_url, CONF_TEMPLATE,
             "endpoint; that of the region when not given"),
    CONF_KEY(struct sns_conf, sigv4, CONF_STRUCT, "AWS credentials", .sub = &sigv4_type),
    CONF_KEY(struct sns_conf, topic_arn, CONF_TEMPLATE, "topic"),
    CONF_KEY(struct sns_conf, phone_number, CONF_TEMPLATE, "telephone number"),
    CONF_KEY(struct sns_conf, target_arn, CONF_TEMPLATE, "mobile endpoint"),
    CONF_KEY(struct sns_conf, subject, CONF_TEMPLATE, "subject",
             .text = "{{ template \"sns.default.subject\" . }}"),
    CONF_KEY(struct sns_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"sns.default.message\" . }}"),
    CONF_KEY(struct sns_conf, attributes, CONF_STRING_MAP, "message attributes, templates"),
    CONF_KEY(struct sns_conf, use_aws_http_client, CONF_BOOL,
             "trust the certificates of AWS_CA_BUNDLE in place of those of http_config"),
    CONF_KEYS_END,
};

static void sns_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    const struct sns_conf *s = conf;

    (void)view;
    if (((s->topic_arn.n == 0) ^ (s->target_arn.n == 0) ^ (s->phone_number.n == 0)) != 0 ||
        s->topic_arn.n + s->target_arn.n + s->phone_number.n == 0)
        conf_error(c, NULL,
                   "exactly one of \"target_arn\", \"topic_arn\" and \"phone_number\" is needed");
}

static const struct conf_type sns_conf_type = {
    .name = "sns_config",
    .doc = "Amazon SNS",
    .keys = keys,
    .size = sizeof(struct sns_conf),
};

/* -- credentials -- */

struct sns_keys {
    str access, secret, session; /* session: only of temporary ones */
    str region;
};

static str sns_word_of(struct delivery *d, const char *const *names)
{
    str v = STR_NONE;

    for (; *names != NULL && v.n == 0; names++)
        v = d->env(d, *names);
    return v;
}

/* A file of AWS: by a variable, or below ~/.aws. */
static bool sns_read(struct delivery *d, const char *variable, const char *name, str *out)
{
    str path = d->env(d, variable);

    if (path.n == 0)
        path = arena_printf(d->arena, "%.*s/.aws/%s", STR(d->env(d, "HOME")), name);
    return d->secret(d, (struct secret){.file = path}, out);
}

/* Fills what is empty from the section [profile], or [profile NAME] as the file "config" has it. */
static void sns_read_profile(str text, str profile, struct sns_keys *k)
{
    const struct {
        const char *name;
        str *to;
    } known[] = {{"aws_access_key_id", &k->access},
                 {"aws_secret_access_key", &k->secret},
                 {"aws_session_token", &k->session},
                 {"region", &k->region}};
    bool is_ours = false;

    while (text.n != 0) {
        str line = str_trim(str_cut(&text, '\n')), name;

        if (str_starts_with(line, S("["))) {
            line = str_trim(
                str_sub(line, 1, str_find(line, ']') > 0 ? (size_t)str_find(line, ']') : 1));
            if (str_starts_with(line, S("profile ")))
                line = str_trim(str_sub(line, 8, line.n));
            is_ours = str_eq(line, profile);
            continue;
        }
        if (!is_ours || str_find(line, '=') < 0)
            continue;
        name = str_trim(str_cut(&line, '='));
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (str_is(name, known[i].name) && known[i].to->n == 0)
                *known[i].to = str_trim(line);
    }
}

/* From the two files; one that is not there is empty. */
static void sns_read_files(struct delivery *d, str profile, struct sns_keys *k)
{
    struct err before = d->err;
    struct sns_keys found = {.region = k->region};
    str text;

    if (sns_read(d, "AWS_SHARED_CREDENTIALS_FILE", "credentials", &text))
        sns_read_profile(text, profile, &found);
    if (sns_read(d, "AWS_CONFIG_FILE", "config", &text))
        sns_read_profile(text, profile, &found);
    d->err = before;
    k->region = found.region;
    if (k->access.n != 0)
        return;
    k->access = found.access;
    k->secret = found.secret;
    k->session = found.session;
}

static bool sns_find_keys(struct delivery *d, struct sns_keys *k)
{
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    const struct sns_sigv4 *c = &((const struct sns_conf *)d->conf)->sigv4;
    str profile = c->profile.n != 0 ? c->profile : d->env(d, "AWS_PROFILE");

    *k = (struct sns_keys){.access = c->access_key,
                           .region = c->region.n != 0 ? c->region : sns_word_of(d, regions)};
    if (k->access.n != 0 && !d->secret(d, c->secret_key, &k->secret))
        return false;
    if (k->access.n == 0 && c->profile.n == 0) {
        k->access = d->env(d, "AWS_ACCESS_KEY_ID");
        k->secret = d->env(d, "AWS_SECRET_ACCESS_KEY");
        k->session = d->env(d, "AWS_SESSION_TOKEN");
    }
    if (k->access.n == 0 || k->region.n == 0)
        sns_read_files(d, profile.n != 0 ? profile : S("default"), k);
    if (k->access.n == 0 || k->secret.n == 0)
        return err_set(&d->err, ERR_INVALID,
                       "no AWS credentials: none in \"sigv4\", in the environment, or as profile "
                       "\"%.*s\" in the files of AWS",
                       STR(profile.n != 0 ? profile : S("default")));
    if (k->region.n == 0)
        return err_set(&d->err, ERR_INVALID, "no AWS region: set \"region\" of \"sigv4\"");
    return true;
}

/* -- the signature -- */

/* As it is sent, so that what is signed is that: no byte is left that a URL cannot have. */
static str sns_escaped(struct delivery *d, str url)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        bool stays = c > ' ' && c < 0x7f && str_find(S("\"<>\\^`{|}"), (char)c) < 0;

        buf_add(&b,
                stays ? str_sub(url, i, i + 1) : delivery_escape_query(d, str_sub(url, i, i + 1)));
    }
    return arena_take(d->arena, &b);
}

/* Each segment escaped once more than it is sent. */
static str sns_canonical_path(struct delivery *d, str path)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < path.n; i++) {
        str c = str_sub(path, i, i + 1);

        buf_add(&b, path.p[i] == '/' ? c : delivery_escape_query(d, c));
    }
    if (b.n == 0)
        buf_addc(&b, '/');
    return arena_take(d->arena, &b);
}

static str sns_signing_key(struct delivery *d, const struct sns_keys *k, str day, str service)
{
    str key = delivery_hmac(d, arena_printf(d->arena, "AWS4%.*s", STR(k->secret)), day);

    key = delivery_hmac(d, key, k->region);
    key = delivery_hmac(d, key, service);
    return delivery_hmac(d, key, S("aws4_request"));
}

/* Signs d->request, whose address and body are there, and sets its headers. */
static void sns_sign(struct delivery *d, const struct sns_keys *k, str service)
{
    static const str type = S_INIT("application/x-www-form-urlencoded");
    struct http_header *h = arena_array(d->arena, 4, sizeof(*h));
    struct delivery_place u = delivery_place_of(d->request.url);
    time_t s = (time_t)(d->now / NS_PER_S);
    bool is_temporary = k->session.n != 0;
    const char *names = is_temporary ? "content-type;host;x-amz-date;x-amz-security-token"
                                     : "content-type;host;x-amz-date";
    char at[32] = "";
    struct tm tm;
    str day, scope, canonical, text;

    gmtime_r(&s, &tm);
    (void)strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", &tm);
    day = str_sub(arena_str(d->arena, str_of(at)), 0, 8);
    scope = arena_printf(d->arena, "%.*s/%.*s/%.*s/aws4_request", STR(day), STR(k->region),
                         STR(service));
    canonical = arena_printf(
        d->arena,
        "POST\n%.*s\n%.*s\ncontent-type:%.*s\nhost:%.*s\nx-amz-date:%s\n%s%.*s%s\n%s\n%.*s",
        STR(sns_canonical_path(d, u.path)), STR(u.query), STR(type), STR(u.host), at,
        is_temporary ? "x-amz-security-token:" : "", STR(k->session), is_temporary ? "\n" : "",
        names, STR(delivery_hash(d, d->request.body)));
    text = arena_printf(d->arena, "AWS4-HMAC-SHA256\n%s\n%.*s\n%.*s", at, STR(scope),
                        STR(delivery_hash(d, canonical)));
    text = delivery_hex(d, delivery_hmac(d, sns_signing_key(d, k, day, service), text));
    h[0] = (struct http_header){S("Content-Type"), type};
    h[1] = (struct http_header){S("X-Amz-Date"), arena_str(d->arena, str_of(at))};
    h[2] = (struct http_header){
        S("Authorization"),
        arena_printf(d->arena,
                     "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%s, Signature=%.*s",
                     STR(k->access), STR(scope), names, STR(text))};
    h[3] = (struct http_header){S("X-Amz-Security-Token"), k->session};
    d->request.headers = (struct http_headers){h, is_temporary ? 4 : 3};
}

/* -- the requests: for the role, then to publish -- */

enum { SNS_MAX = 256 << 10, SNS_MAX_SMS = 1600, SNS_PAIRS = 12, ROLE_S = 900, ROLE_EARLY_S = 300 };

struct sns_progress {
    bool asks_role;
    bool by_role;
};

struct sns_form {
    struct delivery_pair *v;
    size_t n, attributes;
};

static void sns_add(struct sns_form *f, str key, str value)
{
    f->v[f->n++] = (struct delivery_pair){key, value};
}

static str sns_form_text(struct delivery *d, struct sns_form *f)
{
    struct buf b = BUF_INIT;

    delivery_sort_pairs(f->v, f->n);
    for (size_t i = 0; i < f->n; i++)
        buf_addf(&b, "%s%.*s=%.*s", i != 0 ? "&" : "", STR(f->v[i].key),
                 STR(delivery_escape_form(d, f->v[i].value)));
    return arena_take(d->arena, &b);
}

static void sns_set_request(struct delivery *d, str url, struct sns_form *f,
                            const struct sns_keys *k, str service, struct sns_progress at)
{
    const struct sns_conf *c = d->conf;
    struct sns_progress *p = arena_new(d->arena, struct sns_progress);

    url = sns_escaped(d, url);
    if (delivery_place_of(url).path.n == 0)
        url = delivery_url(d, url, S("/"), STR_NONE);
    d->request =
        (struct http_request){.method = S("POST"),
                              .url = url,
                              .body = sns_form_text(d, f),
                              .ca_file =
                                  c->use_aws_http_client ? d->env(d, "AWS_CA_BUNDLE") : STR_NONE};
    sns_sign(d, k, service);
    *p = at;
    d->progress = p;
}

static str sns_endpoint(struct delivery *d, const char *service, str region)
{
    return arena_printf(d->arena, "https://%s.%.*s.amazonaws.com%s/", service, STR(region),
                        str_starts_with(region, S("cn-")) ? ".cn" : "");
}

static str sns_role_name(struct delivery *d, const struct sns_keys *k)
{
    const struct sns_sigv4 *c = &((const struct sns_conf *)d->conf)->sigv4;

    return delivery_hash(d, arena_printf(d->arena, "sns\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s",
                                         STR(k->access), STR(k->secret), STR(k->region),
                                         STR(c->role_arn), STR(c->external_id)));
}

static enum delivery_verdict sns_ask_role(struct delivery *d, const struct sns_keys *k)
{
    const struct sns_sigv4 *c = &((const struct sns_conf *)d->conf)->sigv4;
    struct delivery_pair v[SNS_PAIRS];
    struct sns_form f = {.v = v};
    str url = d->env(d, "AWS_ENDPOINT_URL_STS");

    if (url.n == 0)
        url = sns_endpoint(d, c->use_fips_sts_endpoint ? "sts-fips" : "sts", k->region);
    sns_add(&f, S("Action"), S("AssumeRole"));
    sns_add(&f, S("DurationSeconds"), arena_printf(d->arena, "%d", ROLE_S));
    if (c->external_id.n != 0)
        sns_add(&f, S("ExternalId"), c->external_id);
    sns_add(&f, S("RoleArn"), c->role_arn);
    sns_add(&f, S("RoleSessionName"), arena_printf(d->arena, "tocsin-%lld", (long long)d->now));
    sns_add(&f, S("Version"), S("2011-06-15"));
    sns_set_request(d, url, &f, k, S("sts"), (struct sns_progress){.asks_role = true});
    return DELIVERY_SEND_HTTP;
}

static void sns_add_attribute(struct delivery *d, struct sns_form *f, str name, str value)
{
    size_t i = ++f->attributes;

    sns_add(f, arena_printf(d->arena, "MessageAttributes.entry.%zu.Name", i), name);
    sns_add(f, arena_printf(d->arena, "MessageAttributes.entry.%zu.Value.DataType", i),
            S("String"));
    sns_add(f, arena_printf(d->arena, "MessageAttributes.entry.%zu.Value.StringValue", i), value);
}

/* In the order of their names, one that says so among them when the message is cut. */
static void sns_add_attributes(struct delivery *d, struct sns_form *f, bool is_cut)
{
    const struct sns_conf *c = d->conf;
    struct delivery_pair *v = arena_array(d->arena, c->attributes.n + 1, sizeof(*v));
    size_t n = 0;

    for (size_t i = 0; i < c->attributes.n; i++)
        if (!is_cut || !str_is(c->attributes.v[i].name, "truncated"))
            v[n++] = (struct delivery_pair){c->attributes.v[i].name,
                                            delivery_say(d, c->attributes.v[i].value, false)};
    if (is_cut)
        v[n++] = (struct delivery_pair){S("truncated"), S("true")};
    delivery_sort_pairs(v, n);
    for (size_t i = 0; i < n; i++)
        sns_add_attribute(d, f, v[i].key, v[i].value);
}

/* No rune is cut in two: SNS refuses such a text. */
static str sns_cut(str text, size_t max)
{
    if (text.n <= max)
        return text;
    while (max != 0 && ((unsigned char)text.p[max] & 0xc0) == 0x80)
        max--;
    return str_sub(text, 0, max);
}

/* Where to. SNS forgets what comes within five minutes with an id that it has had: each message has one of its own, which an
 * attempt that is repeated has again. */
static bool sns_add_target(struct delivery *d, struct sns_form *f)
{
    const struct sns_conf *c = d->conf;
    bool is_personal = d->address.n != 0; /* a telephone number */
    const struct {
        const char *name;
        str text;
    } m[] = {{"TopicArn", is_personal ? STR_NONE : c->topic_arn},
             {"TargetArn", is_personal ? STR_NONE : c->target_arn},
             {"PhoneNumber", delivery_address(d, c->phone_number)}};

    for (size_t i = 0; i < ARRAY_LEN(m); i++) {
        str text;

        if (m[i].text.n == 0)
            continue;
        if (!delivery_expand(d, m[i].text, &text))
            return false;
        sns_add(f, str_of(m[i].name), text);
        if (i != 0 || !str_ends_with(text, S(".fifo")))
            continue;
        sns_add(f, S("MessageGroupId"), delivery_group_hash(d));
        sns_add(f, S("MessageDeduplicationId"),
                delivery_hash(d, arena_printf(d->arena, "%.*s %llu", STR(d->n->group_key),
                                              (unsigned long long)d->n->flush_id)));
    }
    return true;
}

static enum delivery_verdict sns_publish(struct delivery *d, const struct sns_keys *k, bool by_role)
{
    const struct sns_conf *c = d->conf;
    struct sns_form f = {
        .v = arena_array(d->arena, SNS_PAIRS + 3 * (c->attributes.n + 1), sizeof(*f.v))};
    str message = delivery_say(d, c->message, false), service = c->sigv4.service_name, url;
    str kept =
        sns_cut(message, delivery_address(d, c->phone_number).n != 0 ? SNS_MAX_SMS : SNS_MAX);

    if (!delivery_expand(d, c->api_url, &url))
        return DELIVERY_FAILED;
    if (url.n == 0)
        url = sns_endpoint(d, "sns", k->region);
    sns_add(&f, S("Action"), S("Publish"));
    sns_add(&f, S("Version"), S("2010-03-31"));
    if (!sns_add_target(d, &f))
        return DELIVERY_FAILED;
    if (c->subject.n != 0)
        sns_add(&f, S("Subject"), delivery_say(d, c->subject, false));
    sns_add(&f, S("Message"), kept);
    sns_add_attributes(d, &f, kept.n < message.n);
    sns_set_request(d, url, &f, k, service.n != 0 ? service : S("sns"),
                    (struct sns_progress){.by_role = by_role});
    return DELIVERY_SEND_HTTP;
}

/* -- the answers -- */

/* The text of the first element of that name; keys, codes and messages have no others within. */
static str sns_element(struct delivery *d, str xml, const char *name)
{
    str open = arena_printf(d->arena, "<%s>", name), close = arena_printf(d->arena, "</%s>", name);
    ptrdiff_t from = str_find_str(xml, open), to;

    if (from < 0)
        return STR_NONE;
    xml = str_sub(xml, (size_t)from + open.n, xml.n);
    to = str_find_str(xml, close);
    return to < 0 ? STR_NONE : arena_str(d->arena, str_sub(xml, 0, (size_t)to));
}

static const struct sns_code {
    const char *code, *advice;
} sns_codes[] = {
    {"SignatureDoesNotMatch", "\"secret_key\" is wrong, or this machine's clock"},
    {"RequestExpired", "this machine's clock is wrong (NTP)"},
    {"InvalidClientTokenId", "\"access_key\" is not known in this region"},
    {"AccessDenied",
     "the credentials may not do this: allow sns:Publish, or sts:AssumeRole of the role"},
    {"AuthorizationError", "the credentials may not do this: allow sns:Publish"},
    {"NotFound", "there is no such topic: see \"topic_arn\" and \"region\""},
    {"OptedOut", "who has the telephone number does not want messages"},
    {"EndpointDisabled", "the mobile endpoint is disabled"},
};

static enum delivery_verdict sns_refused(struct delivery *d, const struct sns_keys *k,
                                         enum delivery_verdict v)
{
    const struct sns_progress *p = d->progress;
    str code = sns_element(d, d->answer->body, "Code"), said;

    if (code.n == 0)
        return v;
    said = sns_element(d, d->answer->body, "Message");
    err_set(&d->err, ERR_IO, "%s: %.*s: %.*s", p->asks_role ? "no role of STS" : "SNS refuses it",
            STR(code), STR(str_sub(said, 0, 200)));
    if (str_find_str(code, S("Throttl")) >= 0) {
        d->failure = FAILURE_RATE_LIMITED;
        return v == DELIVERY_RETRY_AFTER ? v : DELIVERY_RETRY;
    }
    if (p->by_role && (str_is(code, "ExpiredToken") || str_is(code, "InvalidClientTokenId"))) {
        d->remember(d, sns_role_name(d, k), STR_NONE, 0);
        return DELIVERY_RETRY;
    }
    for (size_t i = 0; v == DELIVERY_FAILED && i < ARRAY_LEN(sns_codes); i++)
        if (str_is(code, sns_codes[i].code))
            delivery_advise(d, sns_codes[i].advice);
    return v;
}

static enum delivery_verdict sns_publish_by(struct delivery *d, const struct sns_keys *k, str kept)
{
    struct sns_keys role = {.region = k->region};

    role.access = str_cut(&kept, '\n');
    role.secret = str_cut(&kept, '\n');
    role.session = kept;
    return sns_publish(d, &role, true);
}

static enum delivery_verdict sns_role_came(struct delivery *d, const struct sns_keys *k)
{
    str access = sns_element(d, d->answer->body, "AccessKeyId");
    str secret = sns_element(d, d->answer->body, "SecretAccessKey");
    str session = sns_element(d, d->answer->body, "SessionToken"), kept;

    if (access.n == 0 || secret.n == 0 || session.n == 0) {
        err_set(&d->err, ERR_IO, "not an answer of STS, of %zu bytes", d->answer->body.n);
        return DELIVERY_RETRY;
    }
    kept = arena_printf(d->arena, "%.*s\n%.*s\n%.*s", STR(access), STR(secret), STR(session));
    d->remember(d, sns_role_name(d, k), kept, (ROLE_S - ROLE_EARLY_S) * NS_PER_S);
    return sns_publish_by(d, k, kept);
}

static enum delivery_verdict sns_judge(struct delivery *d, const struct sns_keys *k)
{
    const struct sns_progress *p = d->progress;
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v != DELIVERY_OK)
        return d->lost ? v : sns_refused(d, k, v);
    if (p->asks_role)
        return sns_role_came(d, k);
    if (sns_element(d, d->answer->body, "MessageId").n != 0)
        return DELIVERY_OK;
    err_set(&d->err, ERR_IO, "not an answer of SNS: %.*s", STR(str_sub(d->answer->body, 0, 200)));
    return DELIVERY_RETRY;
}

static enum delivery_verdict sns_step(struct delivery *d)
{
    const struct sns_conf *c = d->conf;
    struct err before = d->err;
    struct sns_keys k;
    str kept;

    if (!sns_find_keys(d, &k))
        return DELIVERY_RETRY; /* a file may come back */
    d->err = before;
    if (d->answer != NULL)
        return sns_judge(d, &k);
    if (c->sigv4.role_arn.n == 0)
        return sns_publish(d, &k, false);
    if (d->recall(d, sns_role_name(d, &k), &kept))
        return sns_publish_by(d, &k, kept);
    return sns_ask_role(d, &k);
}

const struct receiver_type sns_receiver = {
    .name = "sns",
    .config_key = "sns_configs",
    .doc = "Amazon SNS",
    .conf = &sns_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_DIGEST | CAN_SPLIT | CAN_PERSON,
    .pace = {.bytes = SNS_MAX},
    .check = sns_check,
    .step = sns_step,
};
