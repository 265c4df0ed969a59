#include "notify/advice.h"

#include "tocsin/attr.h"

/* words: of the error, NULL = any; low..high: of the status, 0 = any. */
struct advice_row {
    const char *words;
    int low, high;
    struct advice advice;
};

static const struct advice_row advice_rows[] = {
    /* what receivers say */
    {"clock skew", 0, 0, {"set this machine's clock (NTP)", "校准本机时钟（NTP）"}},
    {"no keyword of the robot",
     0,
     0,
     {"set \"keywords\" as in the robot's security settings",
      "按机器人安全设置里的关键词填写 keywords"}},
    {"bad signature",
     0,
     0,
     {"set \"secret\" to that of the robot's security settings",
      "把 secret 设为机器人安全设置里的密钥"}},
    {"address is not allowed",
     0,
     0,
     {"allow this machine's address in the robot's security settings",
      "在机器人安全设置里放行本机的出口 IP"}},
    {"60020",
     0,
     0,
     {"add the address in the message to the app's trusted addresses",
      "把消息里的 IP 加入企业微信应用的可信 IP"}},
    {"is disbanded", 0, 0, {"name another group", "群已解散：换一个群"}},
    {"is stopped", 0, 0, {"start the robot in the group's settings", "在群设置里启用机器人"}},
    {"20 messages a minute",
     0,
     0,
     {"nothing: it is sent again in a minute; fewer, larger groups (group_by, group_interval) help",
      "无需处理，一分钟后自动重发；可调整 group_by、group_interval 减少消息数"}},
    {"too long", 0, 0, {"shorten the template's text", "缩短模板里的正文"}},
    {"token",
     400,
     404,
     {"put in the token that the service shows now", "换上服务方当前显示的令牌"}},
    {"is wrong", 0, 0, {"mend what the message names", "按消息所指修改配置"}},
    {"login", 0, 0, {"look at user and password", "检查用户名和密码"}},
    {"template",
     0,
     0,
     {"mend the template; 'tocsin template render' tries it",
      "修正模板，可用 tocsin template render 试渲染"}},
    /* before there is an answer */
    {"resolve",
     0,
     0,
     {"look at the host's name in the address, and at DNS", "检查地址里的主机名和 DNS"}},
    {"certificate",
     0,
     0,
     {"look at tls_config: authorities, server name, client certificate",
      "检查 tls_config：CA、server_name、客户端证书"}},
    {"TLS",
     0,
     0,
     {"look at tls_config, and at http or https in the address",
      "检查 tls_config，以及地址是 http 还是 https"}},
    {"STARTTLS",
     0,
     0,
     {"another port, or smtp_require_tls: false", "换端口，或设 smtp_require_tls: false"}},
    {"proxy", 0, 0, {"look at proxy_url and the proxy's rules", "检查 proxy_url 和代理的规则"}},
    {"refused",
     0,
     0,
     {"look at host and port, and at the firewall between", "检查主机、端口和中间的防火墙"}},
    {"connect",
     0,
     0,
     {"look at host and port, and at the firewall between", "检查主机、端口和中间的防火墙"}},
    {"time is up",
     0,
     0,
     {"nothing at first: it is sent again; if it lasts, look at the network",
      "暂无需处理，会自动重发；若持续，检查网络"}},
    {"cannot open", 0, 0, {"let tocsin read the file of the secret", "让 tocsin 能读到密钥文件"}},
    /* by the status alone */
    {NULL,
     401,
     403,
     {"look at token, password or key: the service does not know them",
      "检查令牌、密码或密钥：服务方不认"}},
    {NULL, 404, 404, {"look at the address: nothing is there", "检查地址：那里什么也没有"}},
    {NULL,
     407,
     407,
     {"give the proxy a login (proxy_url)", "在 proxy_url 里给出代理的登录名和密码"}},
    {NULL, 410, 410, {"make a new address: this one is gone", "地址已作废：重新生成一个"}},
    {NULL, 413, 413, {"shorten the message, or set max_alerts", "缩短消息，或设 max_alerts"}},
    {NULL,
     429,
     429,
     {"nothing: it is sent again; fewer, larger groups help",
      "无需处理，会自动重发；可合并分组减少消息数"}},
    {NULL,
     400,
     499,
     {"read what the service says, and mend the receiver's keys or templates",
      "按服务方的说明修改接收器的配置或模板"}},
    {NULL,
     500,
     599,
     {"nothing: the service is at fault, and it is sent again",
      "无需处理：服务方故障，会自动重发"}},
};

static bool advice_fits(const struct advice_row *r, str error, int status)
{
    if (r->high != 0 && (status < r->low || status > r->high))
        return false;
    return r->words == NULL || str_find_str(error, str_of(r->words)) >= 0;
}

struct advice advice_of(str error, int status)
{
    for (size_t i = 0; error.n != 0 && i < ARRAY_LEN(advice_rows); i++)
        if (advice_fits(&advice_rows[i], error, status))
            return advice_rows[i].advice;
    return (struct advice){NULL, NULL};
}
