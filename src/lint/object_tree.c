/* What an object may say is one table a mapping: the keys as the operator spells them, and how each value is written. What
 * Alertmanager calls a key follows from the spelling, but for a few.
 */
#include "lint/object_tree.h"

#include "base/vec.h"

enum object_shape {
    OBJECT_AS_IS,
    OBJECT_MAP,          /* of .sub */
    OBJECT_SECRET,       /* {name, key}: of a Secret */
    OBJECT_SOURCE,       /* {secret: {name, key}} or {configMap: {name, key}} */
    OBJECT_SECRET_LISTS, /* a mapping of lists of secrets */
    OBJECT_PAIRS,        /* [{key: a, value: b}] is a mapping */
    OBJECT_HEADERS,      /* {name: a, values: [b]} is {a: {values: [b]}} */
    OBJECT_MATCHER,      /* {name: a, value: b, matchType: "=~"} is a=~"b" */
    OBJECT_DAYS,         /* {start: 1, end: 7} is "1:7" */
    OBJECT_WORD,         /* "Daily" is "daily" */
};

struct object_key {
    const char *name;
    enum object_shape shape;
    bool is_list;                 /* of such */
    bool is_required;             /* where no table of Alertmanager's says so */
    const struct object_key *sub; /* of OBJECT_MAP */
    const char *ours;             /* NULL: the name with underscores */
};

#define PLAIN(n)                                                                                   \
    {                                                                                              \
        .name = (n)                                                                                \
    }
#define NEEDED(n)                                                                                  \
    {                                                                                              \
        .name = (n), .is_required = true                                                           \
    }
#define SECRET(n)                                                                                  \
    {                                                                                              \
        .name = (n), .shape = OBJECT_SECRET                                                        \
    }
#define NEEDS_SECRET(n)                                                                            \
    {                                                                                              \
        .name = (n), .shape = OBJECT_SECRET, .is_required = true                                   \
    }
#define SHAPE(n, s)                                                                                \
    {                                                                                              \
        .name = (n), .shape = (s)                                                                  \
    }
#define MAP_OF(n, keys)                                                                            \
    {                                                                                              \
        .name = (n), .shape = OBJECT_MAP, .sub = (keys)                                            \
    }
#define LIST_OF(n, keys)                                                                           \
    {                                                                                              \
        .name = (n), .shape = OBJECT_MAP, .is_list = true, .sub = (keys)                           \
    }
#define LIST_SHAPE(n, s)                                                                           \
    {                                                                                              \
        .name = (n), .shape = (s), .is_list = true                                                 \
    }
#define KEYS_END                                                                                   \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* -- what all kinds share -- */

static const struct object_key secret_keys[] = {NEEDED("name"), NEEDED("key"), PLAIN("optional"),
                                                KEYS_END};
static const struct object_key source_keys[] = {SECRET("secret"), SECRET("configMap"), KEYS_END};
static const struct object_key pair_keys[] = {NEEDED("key"), NEEDED("value"), KEYS_END};
static const struct object_key days_keys[] = {NEEDED("start"), NEEDED("end"), KEYS_END};
static const struct object_key matcher_keys[] = {NEEDED("name"), PLAIN("value"), PLAIN("matchType"),
                                                 PLAIN("regex"), KEYS_END};
static const struct object_key header_keys[] = {NEEDED("name"), PLAIN("values"),
                                                LIST_SHAPE("secrets", OBJECT_SECRET),
                                                PLAIN("files"), KEYS_END};

static const struct object_key tls_keys[] = {
    SHAPE("ca", OBJECT_SOURCE),
    SHAPE("cert", OBJECT_SOURCE),
    {.name = "keySecret", .shape = OBJECT_SECRET, .ours = "key"},
    PLAIN("serverName"),
    PLAIN("insecureSkipVerify"),
    PLAIN("minVersion"),
    PLAIN("maxVersion"),
    KEYS_END};
static const struct object_key basic_auth_keys[] = {SECRET("username"), SECRET("password"),
                                                    KEYS_END};
static const struct object_key authorization_keys[] = {PLAIN("type"), SECRET("credentials"),
                                                       KEYS_END};
#define PROXY_KEYS                                                                                 \
    PLAIN("proxyUrl"), PLAIN("noProxy"), PLAIN("proxyFromEnvironment"),                            \
        SHAPE("proxyConnectHeader", OBJECT_SECRET_LISTS)

static const struct object_key oauth2_keys[] = {SHAPE("clientId", OBJECT_SOURCE),
                                                SECRET("clientSecret"),
                                                PLAIN("tokenUrl"),
                                                PLAIN("scopes"),
                                                PLAIN("endpointParams"),
                                                MAP_OF("tlsConfig", tls_keys),
                                                PROXY_KEYS,
                                                KEYS_END};
static const struct object_key http_keys[] = {
    MAP_OF("authorization", authorization_keys),
    MAP_OF("basicAuth", basic_auth_keys),
    MAP_OF("oauth2", oauth2_keys),
    {.name = "bearerTokenSecret", .shape = OBJECT_SECRET, .ours = "bearer_token"},
    MAP_OF("tlsConfig", tls_keys),
    PLAIN("proxyURL"),
    PROXY_KEYS,
    PLAIN("followRedirects"),
    PLAIN("enableHttp2"),
    SHAPE("httpHeaders", OBJECT_HEADERS),
    KEYS_END};

#define COMMON_KEYS PLAIN("sendResolved"), MAP_OF("httpConfig", http_keys)

/* -- kinds of receivers -- */

static const struct object_key webhook_keys[] = {
    COMMON_KEYS,
    PLAIN("url"),
    {.name = "urlSecret", .shape = OBJECT_SECRET, .ours = "url"},
    PLAIN("maxAlerts"),
    PLAIN("timeout"),
    PLAIN("payload"),
    KEYS_END};

static const struct object_key confirm_keys[] = {PLAIN("text"), PLAIN("title"), PLAIN("okText"),
                                                 PLAIN("dismissText"), KEYS_END};
static const struct object_key slack_action_keys[] = {PLAIN("type"),
                                                      PLAIN("text"),
                                                      PLAIN("url"),
                                                      PLAIN("style"),
                                                      PLAIN("name"),
                                                      PLAIN("value"),
                                                      MAP_OF("confirm", confirm_keys),
                                                      KEYS_END};
static const struct object_key field_keys[] = {PLAIN("title"), PLAIN("value"), PLAIN("short"),
                                               KEYS_END};
static const struct object_key slack_keys[] = {COMMON_KEYS,
                                               SECRET("apiURL"),
                                               PLAIN("channel"),
                                               PLAIN("username"),
                                               PLAIN("color"),
                                               PLAIN("title"),
                                               PLAIN("titleLink"),
                                               PLAIN("pretext"),
                                               PLAIN("text"),
                                               LIST_OF("fields", field_keys),
                                               PLAIN("shortFields"),
                                               PLAIN("footer"),
                                               PLAIN("fallback"),
                                               PLAIN("callbackId"),
                                               PLAIN("iconEmoji"),
                                               PLAIN("iconURL"),
                                               PLAIN("imageURL"),
                                               PLAIN("thumbURL"),
                                               PLAIN("linkNames"),
                                               PLAIN("mrkdwnIn"),
                                               LIST_OF("actions", slack_action_keys),
                                               PLAIN("timeout"),
                                               PLAIN("messageText"),
                                               PLAIN("updateMessage"),
                                               KEYS_END};

static const struct object_key threading_keys[] = {SHAPE("threadByDate", OBJECT_WORD), KEYS_END};
static const struct object_key email_keys[] = {PLAIN("sendResolved"),
                                               PLAIN("to"),
                                               PLAIN("from"),
                                               PLAIN("hello"),
                                               PLAIN("smarthost"),
                                               PLAIN("authUsername"),
                                               SECRET("authPassword"),
                                               SECRET("authSecret"),
                                               PLAIN("authIdentity"),
                                               SHAPE("headers", OBJECT_PAIRS),
                                               PLAIN("html"),
                                               PLAIN("text"),
                                               PLAIN("requireTLS"),
                                               PLAIN("forceImplicitTLS"),
                                               MAP_OF("tlsConfig", tls_keys),
                                               MAP_OF("threading", threading_keys),
                                               KEYS_END};

static const struct object_key image_keys[] = {PLAIN("src"), PLAIN("href"), PLAIN("alt"), KEYS_END};
static const struct object_key link_keys[] = {
    PLAIN("href"), {.name = "alt", .ours = "text"}, KEYS_END};
static const struct object_key pagerduty_keys[] = {COMMON_KEYS,
                                                   SECRET("routingKey"),
                                                   SECRET("serviceKey"),
                                                   PLAIN("url"),
                                                   PLAIN("client"),
                                                   PLAIN("clientURL"),
                                                   PLAIN("description"),
                                                   PLAIN("severity"),
                                                   PLAIN("class"),
                                                   PLAIN("group"),
                                                   PLAIN("component"),
                                                   PLAIN("source"),
                                                   PLAIN("timeout"),
                                                   SHAPE("details", OBJECT_PAIRS),
                                                   {.name = "pagerDutyImageConfigs",
                                                    .shape = OBJECT_MAP,
                                                    .is_list = true,
                                                    .sub = image_keys,
                                                    .ours = "images"},
                                                   {.name = "pagerDutyLinkConfigs",
                                                    .shape = OBJECT_MAP,
                                                    .is_list = true,
                                                    .sub = link_keys,
                                                    .ours = "links"},
                                                   KEYS_END};

static const struct object_key responder_keys[] = {PLAIN("id"), PLAIN("name"), PLAIN("username"),
                                                   PLAIN("type"), KEYS_END};
static const struct object_key opsgenie_keys[] = {COMMON_KEYS,
                                                  SECRET("apiKey"),
                                                  PLAIN("apiURL"),
                                                  PLAIN("message"),
                                                  PLAIN("description"),
                                                  PLAIN("source"),
                                                  PLAIN("tags"),
                                                  PLAIN("note"),
                                                  PLAIN("priority"),
                                                  PLAIN("updateAlerts"),
                                                  SHAPE("details", OBJECT_PAIRS),
                                                  LIST_OF("responders", responder_keys),
                                                  PLAIN("entity"),
                                                  PLAIN("actions"),
                                                  KEYS_END};

static const struct object_key wechat_keys[] = {
    COMMON_KEYS,      SECRET("apiSecret"),  PLAIN("apiURL"),  PLAIN("corpID"),
    PLAIN("agentID"), PLAIN("toUser"),      PLAIN("toParty"), PLAIN("toTag"),
    PLAIN("message"), PLAIN("messageType"), KEYS_END};

static const struct object_key telegram_keys[] = {COMMON_KEYS,        PLAIN("apiURL"),
                                                  SECRET("botToken"), PLAIN("botTokenFile"),
                                                  PLAIN("chatID"),    PLAIN("messageThreadID"),
                                                  PLAIN("message"),   PLAIN("disableNotifications"),
                                                  PLAIN("parseMode"), KEYS_END};

static const struct object_key victorops_keys[] = {COMMON_KEYS,
                                                   SECRET("apiKey"),
                                                   PLAIN("apiUrl"),
                                                   PLAIN("routingKey"),
                                                   PLAIN("messageType"),
                                                   PLAIN("entityDisplayName"),
                                                   PLAIN("stateMessage"),
                                                   PLAIN("monitoringTool"),
                                                   SHAPE("customFields", OBJECT_PAIRS),
                                                   KEYS_END};

static const struct object_key pushover_keys[] = {
    COMMON_KEYS,        SECRET("userKey"), PLAIN("userKeyFile"), SECRET("token"),
    PLAIN("tokenFile"), PLAIN("title"),    PLAIN("message"),     PLAIN("url"),
    PLAIN("urlTitle"),  PLAIN("ttl"),      PLAIN("device"),      PLAIN("sound"),
    PLAIN("priority"),  PLAIN("retry"),    PLAIN("expire"),      PLAIN("html"),
    PLAIN("monospace"), KEYS_END};

static const struct object_key sigv4_keys[] = {PLAIN("region"),
                                               SECRET("accessKey"),
                                               SECRET("secretKey"),
                                               PLAIN("profile"),
                                               PLAIN("roleArn"),
                                               {.name = "useFIPSSTSEndpoint",
                                                .ours = "use_fips_sts_endpoint"},
                                               KEYS_END};
static const struct object_key sns_keys[] = {COMMON_KEYS,
                                             PLAIN("apiURL"),
                                             MAP_OF("sigv4", sigv4_keys),
                                             PLAIN("topicARN"),
                                             PLAIN("subject"),
                                             PLAIN("phoneNumber"),
                                             PLAIN("targetARN"),
                                             PLAIN("message"),
                                             PLAIN("attributes"),
                                             {.name = "useAWSHTTPClient",
                                              .ours = "use_aws_http_client"},
                                             KEYS_END};

static const struct object_key discord_keys[] = {
    COMMON_KEYS,
    {.name = "apiURL", .shape = OBJECT_SECRET, .is_required = true, .ours = "webhook_url"},
    PLAIN("title"),
    PLAIN("message"),
    PLAIN("content"),
    PLAIN("username"),
    PLAIN("avatarURL"),
    KEYS_END};
static const struct object_key msteams_keys[] = {COMMON_KEYS,    NEEDS_SECRET("webhookUrl"),
                                                 PLAIN("title"), PLAIN("summary"),
                                                 PLAIN("text"),  KEYS_END};
static const struct object_key msteamsv2_keys[] = {COMMON_KEYS, NEEDS_SECRET("webhookURL"),
                                                   PLAIN("title"), PLAIN("text"), KEYS_END};
static const struct object_key webex_keys[] = {COMMON_KEYS, PLAIN("apiURL"), PLAIN("roomID"),
                                               PLAIN("message"), KEYS_END};

static const struct object_key chat_action_keys[] = {PLAIN("text"), PLAIN("url"), PLAIN("msg"),
                                                     KEYS_END};
static const struct object_key rocketchat_keys[] = {COMMON_KEYS,
                                                    PLAIN("apiURL"),
                                                    PLAIN("channel"),
                                                    NEEDS_SECRET("token"),
                                                    NEEDS_SECRET("tokenID"),
                                                    PLAIN("color"),
                                                    PLAIN("emoji"),
                                                    PLAIN("iconURL"),
                                                    PLAIN("text"),
                                                    PLAIN("title"),
                                                    PLAIN("titleLink"),
                                                    LIST_OF("fields", field_keys),
                                                    PLAIN("shortFields"),
                                                    PLAIN("imageURL"),
                                                    PLAIN("thumbURL"),
                                                    PLAIN("linkNames"),
                                                    LIST_OF("actions", chat_action_keys),
                                                    KEYS_END};

/* -- the spec -- */

static const struct object_key receiver_keys[] = {PLAIN("name"),
                                                  LIST_OF("webhookConfigs", webhook_keys),
                                                  LIST_OF("slackConfigs", slack_keys),
                                                  LIST_OF("emailConfigs", email_keys),
                                                  LIST_OF("pagerdutyConfigs", pagerduty_keys),
                                                  LIST_OF("opsgenieConfigs", opsgenie_keys),
                                                  LIST_OF("wechatConfigs", wechat_keys),
                                                  LIST_OF("telegramConfigs", telegram_keys),
                                                  LIST_OF("victoropsConfigs", victorops_keys),
                                                  LIST_OF("pushoverConfigs", pushover_keys),
                                                  LIST_OF("snsConfigs", sns_keys),
                                                  LIST_OF("discordConfigs", discord_keys),
                                                  LIST_OF("msteamsConfigs", msteams_keys),
                                                  LIST_OF("msteamsv2Configs", msteamsv2_keys),
                                                  LIST_OF("webexConfigs", webex_keys),
                                                  LIST_OF("rocketchatConfigs", rocketchat_keys),
                                                  KEYS_END};

static const struct object_key route_keys[] = {PLAIN("receiver"),
                                               PLAIN("groupBy"),
                                               PLAIN("groupWait"),
                                               PLAIN("groupInterval"),
                                               PLAIN("repeatInterval"),
                                               LIST_SHAPE("matchers", OBJECT_MATCHER),
                                               PLAIN("continue"),
                                               PLAIN("muteTimeIntervals"),
                                               PLAIN("activeTimeIntervals"),
                                               LIST_OF("routes", route_keys),
                                               KEYS_END};

static const struct object_key inhibit_keys[] = {
    {.name = "sourceMatch", .shape = OBJECT_MATCHER, .is_list = true, .ours = "source_matchers"},
    {.name = "targetMatch", .shape = OBJECT_MATCHER, .is_list = true, .ours = "target_matchers"},
    PLAIN("equal"),
    KEYS_END};

static const struct object_key times_keys[] = {PLAIN("startTime"), PLAIN("endTime"), KEYS_END};
static const struct object_key period_keys[] = {LIST_OF("times", times_keys),
                                                PLAIN("weekdays"),
                                                LIST_SHAPE("daysOfMonth", OBJECT_DAYS),
                                                PLAIN("months"),
                                                PLAIN("years"),
                                                KEYS_END};
static const struct object_key interval_keys[] = {PLAIN("name"),
                                                  LIST_OF("timeIntervals", period_keys), KEYS_END};

#define SPEC_KEYS                                                                                  \
    MAP_OF("route", route_keys), LIST_OF("receivers", receiver_keys),                              \
        LIST_OF("inhibitRules", inhibit_keys)

static const struct object_key alpha_keys[] = {SPEC_KEYS,
                                               {.name = "muteTimeIntervals",
                                                .shape = OBJECT_MAP,
                                                .is_list = true,
                                                .sub = interval_keys,
                                                .ours = "time_intervals"},
                                               KEYS_END};
static const struct object_key beta_keys[] = {SPEC_KEYS, LIST_OF("timeIntervals", interval_keys),
                                              KEYS_END};

/* -- nodes -- */

static struct yaml_node *object_copy(const struct conf_in *in, const struct yaml_node *n)
{
    return arena_copy(in->run->a, n, 1, 1, sizeof(*n));
}

/* A text where n stands. */
static struct yaml_node *object_text(const struct conf_in *in, const struct yaml_node *n, str text)
{
    struct yaml_node *out = object_copy(in, n);

    out->kind = YAML_SCALAR;
    out->style = YAML_QUOTED;
    out->text = text;
    return out;
}

/* A mapping or list where n stands, of nothing yet. */
static struct yaml_node *object_empty(const struct conf_in *in, const struct yaml_node *n,
                                      enum yaml_kind kind, size_t room)
{
    struct yaml_node *out = object_copy(in, n);

    out->kind = kind;
    out->n = 0;
    out->pairs = kind == YAML_MAP ? arena_array(in->run->a, room, sizeof(*out->pairs)) : NULL;
    out->items = kind == YAML_LIST ? arena_array(in->run->a, room, sizeof(*out->items)) : NULL;
    return out;
}

static void object_put(struct yaml_node *map, struct yaml_node *key, struct yaml_node *value)
{
    map->pairs[map->n++] = (struct yaml_pair){key, value};
}

static str object_value(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = yaml_get(map, str_of(key));

    return n != NULL && n->kind == YAML_SCALAR ? n->text : S("");
}

/* -- names -- */

/* "topicARN" is "topic_arn": capitals that follow each other are one word. */
static str object_our_name(const struct object_key *key, struct arena *a)
{
    str name = str_of(key->name);
    char *out;
    size_t n = 0;

    if (key->ours != NULL)
        return str_of(key->ours);
    out = arena_array(a, 2 * name.n + 1, 1);
    for (size_t i = 0; i < name.n; i++) {
        bool is_capital = name.p[i] >= 'A' && name.p[i] <= 'Z';

        if (is_capital && !(name.p[i - 1] >= 'A' && name.p[i - 1] <= 'Z'))
            out[n++] = '_';
        out[n++] = (char)(is_capital ? name.p[i] - 'A' + 'a' : name.p[i]);
    }
    return (str){out, n};
}

static size_t object_count(const struct object_key *keys)
{
    size_t n = 0;

    while (keys[n].name != NULL)
        n++;
    return n;
}

static const struct object_key *object_find(const struct object_key *keys, str name)
{
    for (; keys->name != NULL; keys++)
        if (str_is(name, keys->name))
            return keys;
    return NULL;
}

/* The one that is meant; NULL: none is near. */
static const struct object_key *object_unknown(const struct conf_in *in,
                                               const struct object_key *keys,
                                               const struct yaml_node *name)
{
    struct diag *g =
        conf_complain(in, name, DIAG_ERROR, "C002", "unknown key \"%.*s\"", STR(name->text));
    const struct object_key *near = NULL;
    VEC(str) names = VEC_INIT;
    const str *hit;

    for (size_t i = 0; i < object_count(keys); i++)
        vec_push(&names, str_of(keys[i].name));
    hit = str_nearest(name->text, names.v, names.n);
    if (hit != NULL) {
        diag_help(in->run->d, g, "did you mean \"%.*s\"?", STR(*hit));
        diag_fix(in->run->d, g, *hit);
        near = &keys[hit - names.v];
    }
    vec_release(&names);
    return near;
}

/* -- values -- */

static struct yaml_node *object_write(const struct conf_in *in, const struct yaml_node *n,
                                      const struct object_key *key);

static const char secret_text[] = "https://secret.invalid/";

/* Says which are missing. Tables that want a secret, too, need not say it again. */
static void object_require(const struct conf_in *in, const struct yaml_node *n,
                           const struct object_key *keys, struct yaml_node *out)
{
    for (; keys->name != NULL; keys++) {
        str ours;

        if (!keys->is_required)
            continue;
        ours = object_our_name(keys, in->run->a);
        if (!yaml_is_null(yaml_get(out, ours)))
            continue;
        conf_complain(in, n, DIAG_ERROR, "C003", "\"%s\" is missing", keys->name);
        if (keys->shape == OBJECT_SECRET && yaml_get(out, ours) == NULL)
            object_put(out, object_text(in, n, ours), object_text(in, n, str_of(secret_text)));
    }
}

static struct yaml_node *object_map(const struct conf_in *in, const struct yaml_node *n,
                                    const struct object_key *keys)
{
    struct yaml_node *out = object_empty(in, n, YAML_MAP, n->n + object_count(keys));

    for (size_t i = 0; i < n->n; i++) {
        const struct yaml_node *name = n->pairs[i].key;
        const struct object_key *key = object_find(keys, name->text);
        struct conf_in at;
        str ours;

        if (key == NULL)
            key = object_unknown(in, keys, name);
        if (key == NULL)
            continue;
        at = conf_enter(in, str_of(key->name));
        ours = object_our_name(key, in->run->a);
        if (yaml_get(out, ours) == NULL)
            object_put(out, object_text(in, name, ours), object_write(&at, n->pairs[i].value, key));
    }
    object_require(in, n, keys, out);
    return out;
}

/* The mapping that these keys are; NULL: it has complained. */
static struct yaml_node *object_want_map(const struct conf_in *in, const struct yaml_node *n,
                                         const struct object_key *keys, const char *what)
{
    if (n->kind == YAML_MAP)
        return object_map(in, n, keys);
    conf_complain(in, n, DIAG_ERROR, "C001", "%s expected", what);
    return NULL;
}

/* Nobody knows what it holds: a URL is right wherever a text is. */
static struct yaml_node *object_secret(const struct conf_in *in, const struct yaml_node *n)
{
    (void)object_want_map(in, n, secret_keys, "{name, key} of a Secret");
    return object_text(in, n, str_of(secret_text));
}

static struct yaml_node *object_source(const struct conf_in *in, const struct yaml_node *n)
{
    const struct yaml_node *map =
        object_want_map(in, n, source_keys, "\"secret\" or \"configMap\" with {name, key}");

    if (map != NULL && map->n > 1)
        conf_complain(in, n, DIAG_ERROR, "C009",
                      "at most one of \"secret\" and \"configMap\" may be set");
    return object_text(in, n, map == NULL || map->n != 0 ? str_of(secret_text) : S(""));
}

static struct yaml_node *object_list(const struct conf_in *in, const struct yaml_node *n,
                                     const struct object_key *key)
{
    const struct object_key one = {.name = key->name, .shape = key->shape, .sub = key->sub};
    struct yaml_node *out;

    if (n->kind != YAML_LIST)
        return object_copy(in, n); /* it will be said */
    out = object_empty(in, n, YAML_LIST, n->n);
    for (size_t i = 0; i < n->n; i++) {
        struct conf_in item = conf_enter_item(in, i);

        out->items[out->n++] = object_write(&item, n->items[i], &one);
    }
    return out;
}

static struct yaml_node *object_secret_lists(const struct conf_in *in, const struct yaml_node *n)
{
    const struct object_key secrets = LIST_SHAPE("", OBJECT_SECRET);
    struct yaml_node *out;

    if (n->kind != YAML_MAP)
        return object_copy(in, n);
    out = object_empty(in, n, YAML_MAP, n->n);
    for (size_t i = 0; i < n->n; i++) {
        struct conf_in at = conf_enter(in, n->pairs[i].key->text);

        object_put(out, n->pairs[i].key, object_write(&at, n->pairs[i].value, &secrets));
    }
    return out;
}

static struct yaml_node *object_pairs(const struct conf_in *in, const struct yaml_node *n)
{
    struct yaml_node *out = object_empty(in, n, YAML_MAP, n->kind == YAML_LIST ? n->n : 0);

    if (!conf_want_list(in, n))
        return out;
    for (size_t i = 0; i < n->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        const struct yaml_node *map =
            object_want_map(&item, n->items[i], pair_keys, "a mapping {key, value}");
        struct yaml_node *key = map != NULL ? yaml_get(map, S("key")) : NULL,
                         *value = map != NULL ? yaml_get(map, S("value")) : NULL;

        if (key != NULL && key->kind == YAML_SCALAR && value != NULL)
            object_put(out, key, value);
    }
    return out;
}

/* One header, or in later versions of the operator a list of them. */
static struct yaml_node *object_headers(const struct conf_in *in, const struct yaml_node *n)
{
    size_t many = n->kind == YAML_LIST ? n->n : 1;
    struct yaml_node *out = object_empty(in, n, YAML_MAP, many);

    for (size_t i = 0; i < many; i++) {
        struct yaml_node *map = object_want_map(in, n->kind == YAML_LIST ? n->items[i] : n,
                                                header_keys, "a mapping {name, values}");
        struct yaml_node *rest;

        if (map == NULL || object_value(map, "name").n == 0)
            continue;
        rest = object_empty(in, map, YAML_MAP, map->n);
        for (size_t k = 0; k < map->n; k++)
            if (!str_is(map->pairs[k].key->text, "name"))
                object_put(rest, map->pairs[k].key, map->pairs[k].value);
        object_put(out, yaml_get(map, S("name")), rest);
    }
    return out;
}

/* Of v1alpha1 also regex: true. */
static struct yaml_node *object_matcher(const struct conf_in *in, const struct yaml_node *n)
{
    const struct yaml_node *map = object_want_map(in, n, matcher_keys, "a mapping {name, value}");
    str op = map != NULL ? object_value(map, "matchType") : S("");
    struct buf b = BUF_INIT;
    str text;

    if (map == NULL || object_value(map, "name").n == 0)
        return object_text(in, n, S("name=\"\"")); /* it has been said */
    if (op.n == 0)
        op = str_is(object_value(map, "regex"), "true") ? S("=~") : S("=");
    buf_addf(&b, "%.*s%.*s\"", STR(object_value(map, "name")), STR(op));
    for (str v = object_value(map, "value"); v.n != 0; v = str_sub(v, 1, v.n)) {
        if (*v.p == '"' || *v.p == '\\')
            buf_adds(&b, "\\");
        buf_add(&b, str_sub(v, 0, 1));
    }
    buf_adds(&b, "\"");
    text = arena_str(in->run->a, buf_str(&b));
    buf_release(&b);
    return object_text(in, n, text);
}

static struct yaml_node *object_days(const struct conf_in *in, const struct yaml_node *n)
{
    const struct yaml_node *map = object_want_map(in, n, days_keys, "a mapping {start, end}");
    str start = map != NULL ? object_value(map, "start") : S(""),
        end = map != NULL ? object_value(map, "end") : S("");

    if (start.n == 0 || end.n == 0)
        return object_text(in, n, S("1")); /* it has been said */
    return object_text(in, n, arena_printf(in->run->a, "%.*s:%.*s", STR(start), STR(end)));
}

static struct yaml_node *object_word(const struct conf_in *in, const struct yaml_node *n)
{
    char *out = arena_array(in->run->a, n->text.n + 1, 1);

    for (size_t i = 0; i < n->text.n; i++)
        out[i] = (char)(n->text.p[i] >= 'A' && n->text.p[i] <= 'Z' ? n->text.p[i] - 'A' + 'a'
                                                                   : n->text.p[i]);
    return object_text(in, n, (str){out, n->text.n});
}

/* What has not the kind that it should have is left as it is, for the tables to say so. */
static struct yaml_node *object_write(const struct conf_in *in, const struct yaml_node *n,
                                      const struct object_key *key)
{
    if (yaml_is_null(n))
        return object_copy(in, n);
    if (key->is_list)
        return object_list(in, n, key);
    switch (key->shape) {
    case OBJECT_MAP: return n->kind == YAML_MAP ? object_map(in, n, key->sub) : object_copy(in, n);
    case OBJECT_SECRET: return object_secret(in, n);
    case OBJECT_SOURCE: return object_source(in, n);
    case OBJECT_SECRET_LISTS: return object_secret_lists(in, n);
    case OBJECT_PAIRS: return object_pairs(in, n);
    case OBJECT_HEADERS: return object_headers(in, n);
    case OBJECT_MATCHER: return object_matcher(in, n);
    case OBJECT_DAYS: return object_days(in, n);
    case OBJECT_WORD: return n->kind == YAML_SCALAR ? object_word(in, n) : object_copy(in, n);
    case OBJECT_AS_IS: break;
    }
    return object_copy(in, n);
}

/* -- all -- */

/* What an object may leave to the configuration that the operator puts it into. */
static const char *const object_globals[][2] = {
    {"smtp_smarthost", "mail.invalid:25"}, {"smtp_from", "alerts@mail.invalid"},
    {"smtp_auth_password", "secret"},      {"slack_api_url", secret_text},
    {"opsgenie_api_key", "secret"},        {"wechat_api_secret", "secret"},
    {"wechat_api_corp_id", "secret"},      {"victorops_api_key", "secret"}};

static struct yaml_node *object_global(const struct conf_in *in, const struct yaml_node *spec)
{
    struct yaml_node *out = object_empty(in, spec, YAML_MAP, ARRAY_LEN(object_globals));

    for (size_t i = 0; i < ARRAY_LEN(object_globals); i++)
        object_put(out, object_text(in, spec, str_of(object_globals[i][0])),
                   object_text(in, spec, str_of(object_globals[i][1])));
    return out;
}

struct yaml_node *object_tree(struct conf_run *run, const struct yaml_doc *doc,
                              const struct yaml_node *spec, bool is_beta)
{
    const struct conf_in in = {.run = run, .doc = doc, .index = -1};
    struct yaml_node *map = object_map(&in, spec, is_beta ? beta_keys : alpha_keys),
                     *out = object_empty(&in, spec, YAML_MAP, map->n + 1);

    for (size_t i = 0; i < map->n; i++)
        out->pairs[out->n++] = map->pairs[i];
    object_put(out, object_text(&in, spec, S("global")), object_global(&in, spec));
    return out;
}

/* -- words -- */

/* The key that Alertmanager calls so. Of what a secret's file is called: the secret. */
static const struct object_key *object_called(const struct object_key *keys, str word,
                                              struct arena *a)
{
    for (const struct object_key *key = keys; key->name != NULL; key++)
        if (str_is(word, key->name) || str_eq(word, object_our_name(key, a)))
            return key;
    if (!str_ends_with(word, S("_file")))
        return NULL;
    word = str_sub(word, 0, word.n - 5);
    for (const struct object_key *key = keys; key->name != NULL; key++)
        if (key->shape == OBJECT_SECRET && str_eq(word, object_our_name(key, a)))
            return key;
    return NULL;
}

static size_t object_word_length(str s)
{
    size_t n = 0;

    while (n < s.n && (s.p[n] == '_' || char_is_digit(s.p[n]) || (s.p[n] >= 'a' && s.p[n] <= 'z') ||
                       (s.p[n] >= 'A' && s.p[n] <= 'Z')))
        n++;
    return n;
}

/* Behind the place of the key, what is quoted or has an underscore is a key of the mapping there. */
str object_words(str text, bool is_beta, struct arena *a)
{
    const struct object_key *keys = is_beta ? beta_keys : alpha_keys;
    bool is_place = true;
    struct buf b = BUF_INIT;
    str out;

    for (size_t i = 0; i < text.n;) {
        str word = str_sub(text, i, i + object_word_length(str_sub(text, i, text.n)));
        bool is_key = is_place || str_find(word, '_') >= 0 || (i != 0 && text.p[i - 1] == '"');
        const struct object_key *key = word.n != 0 && is_key ? object_called(keys, word, a) : NULL;

        if (key != NULL)
            buf_add(&b, str_of(key->name));
        else
            buf_add(&b, word.n != 0 ? word : str_sub(text, i, i + 1));
        if (is_place && key != NULL && key->sub != NULL)
            keys = key->sub;
        if (word.n == 0 && str_find(S(".[]"), text.p[i]) < 0)
            is_place = false;
        i += word.n != 0 ? word.n : 1;
    }
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}
