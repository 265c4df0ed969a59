// Messages as people see them: the mail in a browser, on a desk and a telephone, light and dark, in both languages; and what chats are
// sent, taken by the fakes of contrib/fakes, as a page of ours. Its links lead where they say; no page scrolls sideways, every colour can be
// read, nothing that a label says does anything. With --shots the pictures of docs/img are taken. Exit code 77 is a skip.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keep } from "./picture.mjs";
import { previewPage, readPayload } from "./preview.mjs";
import { PATIENCE, PROGRAM, until } from "./world.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const CHROMIUM = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
const need = createRequire(new URL("../../src/ui/package.json", import.meta.url));
const skip = why => {
  console.log(why);
  process.exit(process.env.CI === "true" && process.env.TOCSIN_NO_UI_TEST !== "1" ? 1 : 77);
};
let chromium;
let axe;
try {
  ({ chromium } = need("playwright-core"));
  axe = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");
} catch {
  skip("playwright-core and axe-core are missing: npm ci in src/ui");
}
if (!CHROMIUM) skip("chromium is missing: apt-get install chromium");

const SHOTS = process.argv.includes("--shots");
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

function same(got, wanted, what) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (g !== w) throw new Error(`${what}: got ${g}, wanted ${w}`);
}

// -- what is told --

const EVIL = '<img src=x onerror="window.pwned=1"></style></title><script>window.pwned=2</script> <!here> @all [x](javascript:1) \u202egnp';
const ago = minutes => new Date(Date.now() - minutes * 60_000).toISOString();
const gpu = (n, minutes, severity, annotations, more = {}) => ({
  labels: { alertname: "GpuTrouble", cluster: "gpu-east", gpu: String(n), node: "gpu-07", severity },
  annotations,
  startsAt: ago(minutes),
  endsAt: ago(-60),
  generatorURL: "https://prometheus.example/graph?g0.expr=DCGM_FI_DEV_XID_ERRORS+%3E+0&g0.tab=1",
  ...more,
});
const FALLEN = {
  summary: "GPU 3 of gpu-07 has fallen off the bus (XID 79)",
  summary_zh: "gpu-07 的 GPU 3 掉卡（XID 79）",
  description: "The driver has lost the card; jobs on it have failed, the other seven run on.",
  description_zh: "驱动已找不到该卡；其上的任务已失败，其余七张正常。",
  action: "Drain the node and reboot it (power cycle). If it recurs, reseat the card.",
  action_zh: "排空节点并重启（断电重启）。若复发：重新插拔、检查供电。",
  runbook_url: "https://runbooks.example/xid-79",
  value: "79",
};
const idle = n => ({
  summary: `GPU ${n} of gpu-07 waits: utilisation 3 % while jobs are queued`,
  summary_zh: `gpu-07 的 GPU ${n} 空等：有排队任务但利用率仅 3 %`,
  value: "3 %",
});
const FIRST = [gpu(0, 42, "warning", idle(0)), gpu(1, 40, "warning", idle(1))];
const THEN = [gpu(0, 42, "warning", idle(0)), gpu(1, 40, "warning", idle(1), { endsAt: ago(0.02) }), gpu(3, 3, "critical", FALLEN)];
const NASTY = [...Array(13)].map((_, i) => ({
  labels: { alertname: "Nasty", evil: EVIL, long: "x".repeat(400), n: String(i), severity: i === 12 ? "critical" : "info" },
  annotations: { summary: `${EVIL} ${i}`, description: "w".repeat(300), runbook_url: "javascript:window.pwned=3" },
  generatorURL: "javascript:window.pwned=4",
  startsAt: ago(0),
  endsAt: ago(-60),
}));

// -- who is told --

/** A fake of contrib/fakes: its address, and the messages that it has taken. */
async function fake(name, ...args) {
  const p = spawn("python3", ["-B", join(ROOT, `contrib/fakes/${name}.py`), "--port", "0", ...args], {
    env: { ...process.env, PYTHONPATH: join(ROOT, "build/peers/usr/lib/python3/dist-packages") },
  });
  const f = { log: "", messages: () => f.log.split("\n").filter(l => l.startsWith("{")).map(l => JSON.parse(l)), stop: () => p.kill() };
  let errors = "";
  p.stdout.on("data", d => {
    f.log += d;
  });
  p.stderr.on("data", d => {
    errors += d;
  });
  f.address = await until(`the fake ${name} listens`, () => (errors.includes("ModuleNotFoundError") ? skip(errors) : f.log.includes("\n") && f.log.split("\n")[0]));
  return f;
}

/** For those that have no fake: every body is kept. */
async function sink(answer) {
  const bodies = [];
  const server = http.createServer((rq, rs) => {
    let text = "";
    rq.on("data", d => {
      text += d;
    });
    rq.on("end", () => {
      bodies.push(JSON.parse(text));
      rs.end(answer);
    });
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${server.address().port}/`, messages: () => bodies, stop: () => server.close() };
}

const config = (f, lang) => `global:
  language: ${lang}
  timezone: Asia/Shanghai
  smtp_smarthost: '${f.mail.address}'
  smtp_from: tocsin@example.com
  smtp_require_tls: false
notifications: {style: readable}
route: {receiver: oncall, group_by: [alertname], group_wait: 300ms, group_interval: 2s, repeat_interval: 4h}
receivers:
  - name: oncall
    email_configs: [{to: ops@example.com, send_resolved: true}]
    dingtalk_configs: [{url: '${f.dingtalk.address}'}]
    feishu_configs: [{url: '${f.feishu.address}'}]
    wecom_configs: [{url: '${f.wecom.address}cgi-bin/webhook/send?key=k0'}]
    slack_configs: [{api_url: '${f.slack.address}services/T0/B0/x', channel: '#ops', send_resolved: true}]
    msteamsv2_configs: [{webhook_url: '${f.teams.address}'}]
    discord_configs: [{webhook_url: '${f.discord.address}'}]
`;

/** All messages of the second flush, in one language, and those of the nasty labels. */
async function told(lang, follow) {
  const f = {
    mail: await fake("smtp"),
    dingtalk: await fake("dingtalk", "--token", "t0", "--rate", "0"),
    feishu: await fake("feishu", "--token", "t0", "--rate", "0"),
    wecom: await fake("wecom", "--key", "k0", "--rate", "0"),
    slack: await fake("slack", "--hook", "/services/T0/B0/x"),
    teams: await sink("1"),
    discord: await sink(""),
  };
  const dir = mkdtempSync(join(tmpdir(), "tocsin-messages-"));
  writeFileSync(join(dir, "tocsin.yml"), config(f, lang));
  let log = "";
  const p = spawn(PROGRAM, [`--config.file=${dir}/tocsin.yml`, `--storage.path=${dir}/data`, "--web.listen-address=127.0.0.1:0", "--web.external-url=https://alerts.example/"]);
  for (const s of [p.stdout, p.stderr])
    s.on("data", d => {
      log += d;
    });
  const gone = new Promise(done => p.on("exit", done));
  try {
    const address = await until("tocsin listens", () => /address=(127\.0\.0\.1:\d+)/.exec(log)?.[1]);
    const post = async alerts =>
      same((await fetch(`http://${address}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(alerts) })).status, 200, log);
    const having = async (...parts) => {
      const found = x => x.messages().find(m => parts.every(w => JSON.stringify(m).includes(w)));
      await until(`messages with ${parts}`, () => Object.values(f).every(found)).catch(e => {
        throw new Error(`${e.message}: only ${Object.keys(f).filter(k => found(f[k]))}\n${log}`);
      });
      return Object.fromEntries(Object.entries(f).map(([k, x]) => [k, found(x)]));
    };
    await post(FIRST);
    await having("+1)");
    await post(THEN);
    const second = await having("XID 79", lang === "en" ? "just resolved" : "刚恢复");
    await follow(second, `http://${address}/`);
    await post(NASTY);
    return { second, nasty: await having("Nasty", "+12") };
  } finally {
    p.kill();
    await gone;
    for (const x of Object.values(f)) x.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

// -- how it looks --

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
const painter = await browser.newPage();

async function look(html, what, { viewport, scheme, shot }) {
  const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.setContent(html);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  same(wide, 0, `${what} at ${viewport.width} px scrolls sideways`);
  same(await page.evaluate(() => [window.pwned ?? null, document.querySelectorAll("img, script, [onload], [onerror]").length]), [null, 0], what);
  same(await page.evaluate(() => [...document.links].map(a => a.protocol).filter(p => !/^https?:$/.test(p))), [], `links of ${what}`);
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const r = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return r.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => `${n.target} ${n.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`);
  });
  same(found, [], `axe on ${what} at ${viewport.width} px, ${scheme}`);
  if (SHOTS && KEPT.test(shot)) await keep(painter, await page.screenshot({ fullPage: true }), shot);
  await context.close();
}

const LOOKS = [
  { viewport: DESK, scheme: "light", size: "" },
  { viewport: DESK, scheme: "dark", size: "-dark" },
  { viewport: PHONE, scheme: "light", size: "-phone" },
  { viewport: PHONE, scheme: "dark", size: "-phone-dark" },
];
/** Each link to the page shows what it says: the group, why it was told, a silence of what it is of. */
async function follow(second, url) {
  const links = [...second.dingtalk.markdown.text.matchAll(/\]\((https:\/\/alerts\.example\/[^)]*)\)/g)].map(m => m[1]);
  const shown = { "#/silences/new": ".preview li", "#/alerts?alert=": ".detail .path li", "#/alerts?filter=": ".group" };
  same(Object.keys(shown).map(w => links.some(l => l.includes(w))), [true, true, true], "links");
  const context = await browser.newContext({ viewport: DESK });
  for (const link of links) {
    const page = await context.newPage();
    await page.goto(link.replace("https://alerts.example/", url));
    await page.waitForSelector(Object.entries(shown).find(([w]) => link.includes(w))[1], { timeout: PATIENCE * 1000 }).catch(() => {
      throw new Error(`nothing is shown by ${link}`);
    });
    await page.close();
  }
  await context.close();
}

const KEPT = /^mail|^chats(-dark-zh|-phone|-phone-dark-zh)?$/; // in docs/img
const CHATS = ["dingtalk", "feishu", "wecom", "slack", "teams", "discord"];

/** What is said, and in which order: the critical one first, what is new, what is over last; the rest is counted. */
function checkTexts(second, nasty, lang) {
  const [critical, fresh, over, more] = lang === "en" ? ["Critical", "1 new", "Resolved", "and 3 more"] : ["严重", "新增 1 条", "已恢复", "还有 3 条"];
  for (const [kind, text] of [["mail", second.mail.text], ["mail", second.mail.html], ...CHATS.map(k => [k, readPayload(k, second[k]).text])]) {
    const at = [critical, over].map(w => text.indexOf(w));
    if (at[0] < 0 || at[1] < 0 || text.lastIndexOf(over) < text.indexOf(critical) || !text.includes(fresh)) throw new Error(`${kind}, ${lang}: ${text}`);
  }
  for (const text of [nasty.mail.text, nasty.mail.html]) if (!text.includes(more)) throw new Error(`mail, ${lang}: ${text}`);
  for (const kind of CHATS) if (/\u202e/.test(readPayload(kind, nasty[kind]).text)) throw new Error(`${kind}: turns around`);
}

let failed = 0;
for (const lang of ["en", "zh"]) {
  try {
    const { second, nasty } = await told(lang, follow);
    const suffix = lang === "zh" ? "-zh" : "";
    checkTexts(second, nasty, lang);
    for (const { viewport, scheme, size } of LOOKS) {
      await look(second.mail.html, `the mail (${lang})`, { viewport, scheme, shot: `mail${size}${suffix}` });
      await look(nasty.mail.html, `the mail of nasty labels (${lang})`, { viewport, scheme });
      await look(previewPage(CHATS.map(k => [k, second[k]]), lang), `the chats (${lang})`, { viewport, scheme, shot: `chats${size}${suffix}` });
      await look(previewPage(CHATS.map(k => [k, nasty[k]]), lang), `the chats of nasty labels (${lang})`, { viewport, scheme });
    }
    console.log(`messages in ${lang}: ok`);
  } catch (e) {
    failed++;
    console.log(`messages in ${lang}: FAILED\n${e.stack}`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
