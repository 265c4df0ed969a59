// What vendors' own clients send: {name: [client, input]} on standard input, {name: {method, url, headers, body}} on standard output.
// Nothing leaves: requests end in http.request, which is replaced, and get the answer that the client waits for.
"use strict";
const { Readable, Writable } = require("stream");
const http = require("http"), https = require("https");

const ORACLE_NOW = 1767225600000;
const RealDate = Date;
global.Date = class extends RealDate {
  constructor(...a) { a.length ? super(...a) : super(ORACLE_NOW); }
  static now() { return ORACLE_NOW; }
};

let seen = [], answers = [];

class Request extends Writable {
  constructor(options, callback) {
    super({ autoDestroy: false }); // as a request is, until its answer is read
    Object.assign(this, { options, names: {}, body: [] });
    for (const [k, v] of Object.entries(options.headers || {})) this.setHeader(k, v);
    if (callback) this.once("response", callback);
    // some clients wait for a connection before they write
    setImmediate(() => this.emit("socket", Object.assign(new Writable({ write(c, e, f) { f(); } }), {
      connecting: false, setKeepAlive() {}, setTimeout() {}, setNoDelay() {}, unref() {}, ref() {} })));
  }
  setHeader(k, v) { this.names[k.toLowerCase()] = String(v); }
  getHeader(k) { return this.names[k.toLowerCase()]; }
  getHeaders() { return this.names; }
  removeHeader(k) { delete this.names[k.toLowerCase()]; }
  setTimeout() { return this; }
  setNoDelay() {}
  setSocketKeepAlive() {}
  flushHeaders() {}
  abort() {}
  _write(chunk, encoding, done) { this.body.push(Buffer.from(chunk, encoding)); done(); }
  _final(done) {
    const o = this.options;
    const [status, text] = answers.shift() || [200, "{}"];
    const response = Object.assign(Readable.from([Buffer.from(text)]), {
      statusCode: status, statusMessage: "", httpVersion: "1.1", rawHeaders: [],
      headers: { "content-type": text[0] === "<" ? "text/xml" : "application/json" } });
    seen.push({
      method: (o.method || "GET").toUpperCase(),
      url: `https://${o.hostname || o.host}${o.port && o.port != 443 ? ":" + o.port : ""}${o.path}`,
      headers: this.names, body: Buffer.concat(this.body).toString() });
    setImmediate(() => this.emit("response", response));
    done();
  }
}
function request(url, options, callback) {
  if (typeof url === "string" || url instanceof URL) {
    const u = new URL(url);
    if (typeof options === "function") [callback, options] = [options, {}];
    options = { protocol: u.protocol, hostname: u.hostname, port: u.port, path: u.pathname + u.search, ...options };
  } else [options, callback] = [url, options];
  return new Request(options, callback);
}
http.request = https.request = request;

const ok = (o) => [200, JSON.stringify(o)];

// -- the clients --

function aliyun(i, endpoint) {
  const core = require("@alicloud/openapi-core");
  require("@alicloud/openapi-core/dist/utils").default.getNonce = () => i.nonce;
  const credential = { async getCredential() { return { type: "access_key", accessKeyId: i.access_key, accessKeySecret: i.secret_key }; } };
  return new core.$OpenApiUtil.Config({ credential, endpoint });
}

// Of a product whose client is not to be had: as each of those calls the common one.
async function aliyunCall(i, action, query) {
  const core = require("@alicloud/openapi-core");
  const client = new core.default(aliyun(i, "dyvmsapi.aliyuncs.com"));
  const params = new core.$OpenApiUtil.Params({
    action, version: "2017-05-25", protocol: "HTTPS", pathname: "/", method: "POST", authType: "AK", style: "RPC",
    reqBodyType: "formData", bodyType: "json" });
  await client.callApi(params, new core.$OpenApiUtil.OpenApiRequest({ query: core.OpenApiUtil.query(query) }),
    new (require("@alicloud/tea-util").RuntimeOptions)({}));
}

function tencentProfile(i) {
  return { credential: { secretId: i.access_key, secretKey: i.secret_key }, region: "ap-guangzhou", profile: {} };
}

globalThis.fetch = async (url, o = {}) => {
  seen.push({ method: o.method || "GET", url: String(url), headers: Object.fromEntries(new Headers(o.headers)), body: String(o.body ?? "") });
  const [status, text] = answers.shift() || [200, "{}"];
  return new Response(text, { status, headers: { "content-type": "application/json" } });
};

const clients = {
  async aliyun_sms(i) {
    const sms = require("@alicloud/dysmsapi20170525");
    await new sms.default(aliyun(i, "dysmsapi.aliyuncs.com")).sendSms(new sms.SendSmsRequest({
      phoneNumbers: i.to, signName: i.sign_name, templateCode: i.template, templateParam: JSON.stringify(i.values) }));
  },
  aliyun_voice: (i) => aliyunCall(i, "SingleCallByTts", {
    CalledNumber: i.to, CalledShowNumber: i.from, PlayTimes: 2, TtsCode: i.template, TtsParam: JSON.stringify(i.values) }),
  aliyun_ask: (i) => aliyunCall(i, "QueryCallDetailByCallId", {
    CallId: i.call, ProdId: 11000000300006, QueryDate: i.at }),
  async tencent_sms(i) {
    const { sms } = require("tencentcloud-sdk-nodejs-sms");
    answers = [ok({ Response: { RequestId: "x" } })];
    await new sms.v20210111.Client(tencentProfile(i)).SendSms({
      PhoneNumberSet: [i.to], SmsSdkAppId: i.app_id, TemplateId: i.template, SignName: i.sign_name,
      TemplateParamSet: Object.values(i.values) });
  },
  async tencent_voice(i) {
    const { AbstractClient } = require("tencentcloud-sdk-nodejs-common");
    answers = [ok({ Response: { RequestId: "x" } })];
    await new AbstractClient("vms.tencentcloudapi.com", "2020-09-02", tencentProfile(i)).request("SendTts", {
      TemplateId: i.template, CalledNumber: i.to, VoiceSdkAppid: i.app_id,
      TemplateParamSet: Object.values(i.values), PlayTimes: 2 });
  },
  async twilio_sms(i) {
    answers = [[201, '{"sid":"SM1"}']];
    await require("twilio")(i.access_key, i.secret_key).messages.create({ to: i.to, from: i.from, body: i.text });
  },
  async twilio_voice(i) {
    const twilio = require("twilio"), answer = new twilio.twiml.VoiceResponse();
    answer.say({ language: i.language, loop: 2 }, i.text);
    answers = [[201, '{"sid":"CA1"}']];
    await twilio(i.access_key, i.secret_key).calls.create({
      to: i.to, from: i.from, twiml: answer.toString().replace(/^<\?xml[^>]*>/, "") });
  },
  async twilio_ask(i) {
    answers = [ok({ sid: "CA1" })];
    await require("twilio")(i.access_key, i.secret_key).calls(i.call).fetch();
  },
  async sns(i) {
    const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");
    answers = [[200, "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"]];
    await new SNSClient({ region: i.region, credentials: { accessKeyId: i.access_key, secretAccessKey: i.secret_key } })
      .send(new PublishCommand({ Message: i.message, Subject: i.subject, TopicArn: i.topic }));
    // It signs headers that are its own, too: once more the ones that we send.
    const { SignatureV4 } = require("@smithy/signature-v4"), { createHash, createHmac } = require("crypto");
    class Sha256 {
      constructor(key) { this.h = key === undefined ? createHash("sha256") : createHmac("sha256", key); }
      update(d) { this.h.update(d); }
      async digest() { return this.h.digest(); }
    }
    const signer = new SignatureV4({ region: i.region, service: "sns", sha256: Sha256, applyChecksum: false,
      credentials: { accessKeyId: i.access_key, secretAccessKey: i.secret_key } });
    const signed = await signer.sign({ method: "POST", protocol: "https:", hostname: "", path: "/", query: {}, body: i.body,
      headers: { host: `sns.${i.region}.amazonaws.com`, "content-type": "application/x-www-form-urlencoded" } },
      { signingDate: new Date() });
    seen[0].headers = signed.headers;
  },
  async feishu(i) {
    const lark = require("@larksuiteoapi/node-sdk");
    const client = new lark.Client({ appId: i.app_id, appSecret: i.app_secret, loggerLevel: lark.LoggerLevel.error });
    answers = [ok({ code: 0, tenant_access_token: i.token, expire: 7140 }), ok({ code: 0, data: {} })];
    const message = client.im.message, path = { message_id: i.message };
    await {
      create: () => message.create({ params: { receive_id_type: i.type }, data: i.body }),
      patch: () => message.patch({ path, data: i.body }),
      reply: () => message.reply({ path, data: i.body }),
      urgent_phone: () => message.urgentPhone({ path, params: { user_id_type: i.type }, data: i.body }),
      // the first request of all
      token: () => message.create({ params: { receive_id_type: "chat_id" }, data: {} }).finally(() => (seen = seen.slice(0, 1))),
    }[i.call]();
  },
  async dingtalk(i) {
    const product = i.call === "getAccessToken" ? "oauth2_1_0" : "robot_1_0";
    const module = require(`@alicloud/dingtalk/dist/${product}/client`), OpenApi = require("@alicloud/openapi-client");
    const client = new module.default(new OpenApi.Config({ protocol: "https", regionId: "central" }));
    const runtime = new (require("@alicloud/tea-util").RuntimeOptions)({}), name = i.call[0].toUpperCase() + i.call.slice(1);
    if (product === "oauth2_1_0") return client.getAccessToken(new module.GetAccessTokenRequest(i.body));
    const headers = new module[name + "Headers"]({ xAcsDingtalkAccessToken: i.token });
    return client[i.call + "WithOptions"](new module[name + "Request"](i.body), headers, runtime);
  },
  async slack(i) {
    const { WebClient } = require("@slack/web-api");
    answers = [ok({ ok: true })];
    await new WebClient(i.token).chat.postMessage(i.message);
  },
};

async function main() {
  const input = JSON.parse(require("fs").readFileSync(0, "utf8")), output = {};
  for (const [name, [client, i]] of Object.entries(input)) {
    seen = [];
    answers = [];
    try {
      await clients[client](i);
    } catch (e) {
      if (seen.length === 0) throw e;
    }
    output[name] = seen[seen.length - 1];
  }
  process.stdout.write(JSON.stringify(output));
  process.exit(0);
}
main().catch((e) => { console.error(e); process.exit(1); });
