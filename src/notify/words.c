#include "notify/words.h"

#include "base/strcase.h"

static const struct words_row {
    const char *key, *en, *zh;
} words_rows[] = {
    {"firing", "Firing", "告警"},
    {"resolved", "Resolved", "已恢复"},
    {"alert", "Alert", "告警"},
    {"new", "new", "新增"},
    {"ended", "just resolved", "刚恢复"},
    {"since", "Since", "开始"},
    {"until", "Ended", "结束"},
    {"for", "for", "持续"},
    {"lasted", "lasted", "历时"},
    {"value", "Value", "当前值"},
    {"action", "To do", "处理建议"},
    {"runbook", "Runbook", "处理手册"},
    {"group", "This group", "查看此组"},
    {"silence", "Silence", "静默"},
    {"silence_group", "Silence the group", "静默此组"},
    {"explain", "Explain", "告警详情"},
    {"source", "Source", "数据来源"},
    {"acked", "Taken by", "已认领："},
    {"update", "Changed by", "变更人："},
    {"all", "All alerts", "全部告警"},
    {"sent", "Sent by tocsin to receiver", "由 tocsin 发送，接收人"},
};

/* What a label severity or priority says, how people write it, and its sign. */
static const struct words_severity_row {
    const char *value, *en, *zh, *icon;
} words_severities[] = {
    {"critical", "Critical", "严重", "🔴"},
    {"page", "Page", "紧急", "🔴"},
    {"emergency", "Emergency", "紧急", "🔴"},
    {"fatal", "Fatal", "致命", "🔴"},
    {"p0", "P0", "P0", "🔴"},
    {"p1", "P1", "P1", "🔴"},
    {"error", "Error", "错误", "🟠"},
    {"high", "High", "高", "🟠"},
    {"major", "Major", "重要", "🟠"},
    {"p2", "P2", "P2", "🟠"},
    {"warning", "Warning", "警告", "🟡"},
    {"warn", "Warning", "警告", "🟡"},
    {"minor", "Minor", "次要", "🟡"},
    {"p3", "P3", "P3", "🟡"},
    {"info", "Info", "提示", "🔵"},
    {"none", "Info", "提示", "🔵"},
    {"low", "Low", "低", "🔵"},
    {"p4", "P4", "P4", "🔵"},
};

bool words_has(str key, bool is_chinese, str *out)
{
    for (size_t i = 0; i < ARRAY_LEN(words_rows); i++)
        if (str_is(key, words_rows[i].key)) {
            *out = str_of(is_chinese ? words_rows[i].zh : words_rows[i].en);
            return true;
        }
    return false;
}

str words_get(const char *key, bool is_chinese)
{
    str out = STR_NONE;

    (void)words_has(str_of(key), is_chinese, &out);
    return out;
}

static const struct words_severity_row *words_severity_row(str value)
{
    for (size_t i = 0; i < ARRAY_LEN(words_severities); i++)
        if (str_eq_nocase(value, str_of(words_severities[i].value)))
            return &words_severities[i];
    return NULL;
}

str words_severity(str value, bool is_chinese)
{
    const struct words_severity_row *r = words_severity_row(value);

    return r == NULL ? value : str_of(is_chinese ? r->zh : r->en);
}

const char *words_icon(str severity, bool is_urgent)
{
    const struct words_severity_row *r = words_severity_row(severity);

    return is_urgent ? "🔴" : r != NULL ? r->icon : "🟠";
}

void words_duration(struct buf *out, dur_ns d, bool is_chinese)
{
    static const struct {
        dur_ns unit;
        const char *en, *zh;
    } units[] = {{86400 * NS_PER_S, "d", "天"},
                 {NS_PER_H, "h", "小时"},
                 {NS_PER_M, "m", "分钟"},
                 {NS_PER_S, "s", "秒"}};
    size_t i = 0;

    if (d < NS_PER_S)
        d = NS_PER_S;
    while (d < units[i].unit)
        i++;
    for (size_t shown = 0; shown < 2 && i < ARRAY_LEN(units) && d >= units[i].unit; shown++, i++) {
        if (shown != 0 && units[i].unit == NS_PER_S)
            break;
        buf_addf(out, is_chinese ? "%s%lld %s" : "%s%lld%s", shown != 0 ? " " : "",
                 (long long)(d / units[i].unit), is_chinese ? units[i].zh : units[i].en);
        d %= units[i].unit;
    }
}

void words_counts(struct buf *out, struct words_counts c, bool is_chinese)
{
    if (c.firing != 0)
        buf_addf(out, is_chinese ? "%zu 条告警" : "%zu firing", c.firing);
    if (c.firing != 0 && c.added != 0 && !c.is_first)
        buf_addf(out, is_chinese ? "（新增 %zu 条）" : " (%zu new)", c.added);
    if (c.resolved != 0)
        buf_addf(out, is_chinese ? "%s%zu 条已恢复" : "%s%zu resolved",
                 c.firing == 0 ? ""
                 : is_chinese  ? "，"
                               : ", ",
                 c.resolved);
    if (c.is_repeat)
        buf_add(out, is_chinese ? S("，与上次相同") : S(", as before"));
}
