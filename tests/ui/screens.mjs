// The screens in a browser, as people use them: each one, in both languages, on a desk and on a phone; silences made, edited and ended;
// markup in every text; a server that goes and comes back; tokens; a prefix behind a proxy. Exit code 77 is a skip.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { makeWorld, PATIENCE, sleep, until, XSS } from "./world.mjs";

const CHROMIUM = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
const need = createRequire(new URL("../../src/ui/package.json", import.meta.url));
let chromium;
let axe;
try {
  ({ chromium } = need("playwright-core"));
  axe = readFileSync(need.resolve("axe-core/axe.min.js"), "utf8");
} catch {
  console.log("playwright-core and axe-core are missing: npm ci in src/ui");
}
if (!CHROMIUM) console.log("chromium is missing: apt-get install chromium");
if (!CHROMIUM || !chromium) process.exit(process.env.CI === "true" && process.env.TOCSIN_NO_UI_TEST !== "1" ? 1 : 77);

const SHOTS = process.env.TOCSIN_SHOTS; // a folder: screenshots are put there
const DESK = { width: 1360, height: 850 };
const PHONE = { width: 360, height: 760 };

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });

function same(got, wanted, what) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (g !== w) throw new Error(`${what}: got ${g}, wanted ${w}`);
}
function holds(ok, what) {
  if (!ok) throw new Error(what);
}

const opened = new Map(); // contexts, by the world that they look at

/** A page whose every complaint fails the test, but for those that the test says. */
async function open(w, hash, { size = DESK, locale = "en-GB", scheme = "light", allow = /$^/, storage = {}, url = w.url } = {}) {
  const context = await browser.newContext({ viewport: size, locale, colorScheme: scheme, reducedMotion: "reduce", timezoneId: "Asia/Shanghai" });
  await context.addInitScript(s => {
    for (const [k, v] of Object.entries(s)) localStorage.setItem(k, v);
  }, storage);
  context.setDefaultTimeout(PATIENCE * 1000);
  opened.set(context, w);
  context.on("close", () => opened.delete(context));
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", e => page.problems.push(String(e.stack)));
  page.on("console", m => m.type() === "error" && !allow.test(m.text()) && page.problems.push(m.text()));
  await page.goto(`${url}/${hash}`);
  return page;
}
async function close(page) {
  same(page.problems, [], "the browser complains");
  await page.context().close();
}

async function accessible(page, what) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe); // not by a tag: the policy lets none in
  const found = await page.evaluate(async () => {
    const r = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return r.violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => `${n.target} ${n.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`);
  });
  same(found, [], `axe on ${what}`);
}

const sideways = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Four pages at a time: most of it is waiting. */
async function inTurns(jobs) {
  const rest = [...jobs];
  await Promise.all([...Array(4)].map(async () => {
    for (let job = rest.shift(); job; job = rest.shift()) await job();
  }));
}

const SCREENS = {
  alerts: { hash: "#/alerts", shows: ".group", en: "critical", zh: "已静默" },
  alert: { hash: "#/alerts?alert=FP", shows: ".detail .path li", en: "What it did", zh: "状态变化" },
  silences: { hash: "#/silences", shows: ".silence", en: "New silence", zh: "新建静默" },
  silence: { hash: "#/silences/SID", shows: ".silence", en: "What it kept back|hides", zh: "隐藏" },
  "silence-new": { hash: "#/silences/new?from=alert&filter=%7Balertname%3D%22XidFellOffBus%22%2Cgpu%3D%223%22%2Cuuid%3D%22GPU-3a7%22%7D", shows: ".preview li", en: "For how long", zh: "多长时间" },
  rules: { hash: "#/rules", shows: ".rule", en: "firing", zh: "触发中" },
  query: { hash: "#/query?expr=vllm_ttft_p95_seconds%20%3E%201&tab=graph&hours=0.25", shows: ".graph canvas", en: "Make a rule of it", zh: "生成规则" },
  routes: { hash: "#/routes?labels=%7B%22severity%22%3A%22critical%22%7D", shows: ".route.taken", en: "Where would this go", zh: "这会发给谁" },
  notifications: { hash: "#/notifications", shows: ".told li", en: "delivered", zh: "已送达" },
  receivers: { hash: "#/receivers", shows: ".grid article", en: "failing", zh: "异常" },
  targets: { hash: "#/targets", shows: ".target.down", en: "down", zh: "异常" },
  status: { hash: "#/status", shows: "pre", en: "Configuration", zh: "配置" },
};

async function fill(w) {
  await until("alerts fire", async () => (await w.get("/api/tocsin/board")).totals.states.firing >= 7);
  await until("all has been scraped", async () => (await w.get("/api/tocsin/board")).totals.alerts >= 12);
  w.silenceId = (await w.silence({ alertname: "LinkFlaps" }, "switch is replaced on Tuesday")).silenceID;
  w.fp = (await w.get("/api/v2/alerts?filter=alertname%3DXidFellOffBus"))[0].fingerprint;
  await until("a receiver fails", async () => (await w.get("/api/tocsin/board")).totals.failingReceivers.length === 1);
}

async function markupEverywhere(w) {
  await w.post("/api/v2/alerts", [
    {
      labels: { alertname: XSS, severity: XSS, team: XSS, [`n_${"x"}`]: "javascript:alert(1)" },
      annotations: { summary: XSS, runbook_url: "javascript:window.pwned=3", description: `"><svg onload=window.pwned=4>`, dashboard: "https://ok.example/" },
      generatorURL: "javascript:window.pwned=5",
    },
  ]);
  const s = await w.silence({ alertname: XSS }, XSS, 1, XSS);
  const fp = (await w.get("/api/v2/alerts")).find(a => a.labels.alertname === XSS).fingerprint;
  const places = [`#/alerts?state=silenced&alert=${fp}`, "#/silences", `#/silences/${s.silenceID}`, `#/silences/${s.silenceID}/edit`, "#/notifications", "#/rules", "#/receivers", "#/targets", `#/routes?labels=${encodeURIComponent(JSON.stringify({ alertname: XSS }))}`, `#/query?expr=${encodeURIComponent(`"${XSS.replace(/"/g, "'")}"`)}`, `#/alerts?filter=${encodeURIComponent(XSS)}&q=${encodeURIComponent(XSS)}`];
  await inTurns(places.map(hash => async () => {
    const page = await open(w, hash, { allow: /400|404|422/ });
    await page.waitForSelector("main h1", { state: "attached" });
    await sleep(350);
    for (const fold of await page.$$('.group .fold[aria-expanded="false"]')) await fold.click();
    same(await page.evaluate(() => [window.pwned ?? null, document.querySelectorAll("main img, main script, svg[onload]").length]), [null, 0], hash);
    const links = await page.$$eval("a[href]", l => l.map(a => a.protocol));
    same(links.filter(p => !/^https?:$/.test(p)), [], `${hash}: links that run`);
    await close(page);
  }));
  await w.post("/api/v2/alerts", [{ labels: { alertname: XSS, severity: XSS, team: XSS, n_x: "javascript:alert(1)" }, endsAt: new Date().toISOString() }]);
}

const tests = {
  async every_screen(w) {
    const kinds = { "en desk": { size: DESK }, "zh phone dark": { size: PHONE, locale: "zh-CN", scheme: "dark" } };
    const look = async (page, kind, name, s) => {
      const hash = s.hash.replace("FP", w.fp).replace("SID", w.silenceId);
      try {
        await page.evaluate(h => {
          location.hash = h;
        }, hash);
        await page.waitForSelector(s.shows);
        const words = new RegExp(kind.startsWith("en") ? s.en : s.zh);
        await until(`its words: ${words}`, async () => words.test(await page.innerText("main")));
        same(await sideways(page), 0, "it scrolls sideways");
        await accessible(page, "it");
        const english = /\b(Silence|Why|Views|next in|as of|told \d|Search|Edit|End now|Send a test|hides|Ask|ago|Loading)\b/g;
        if (kind.startsWith("zh")) same((await page.innerText("main")).match(english), null, "it is left in English");
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}-${kind.replace(/ /g, "-")}.png` });
      } catch (e) {
        throw new Error(`${name} ${kind}`, { cause: e });
      }
    };
    // a page goes from screen to screen, as people do; two of each kind at once
    await Promise.all(
      Object.entries(kinds).flatMap(([kind, options]) => {
        const rest = Object.entries(SCREENS);
        return [0, 1].map(async () => {
          const page = await open(w, "#/alerts", options);
          for (let next = rest.shift(); next; next = rest.shift()) await look(page, kind, ...next);
          await close(page);
        });
      }),
    );
    // other colours and widths of what is looked at most
    const colours = {
      dark: { scheme: "dark" },
      contrast: { storage: { "tocsin.theme": '"contrast"' } },
      tablet: { size: { width: 900, height: 900 } },
      "small desk": { size: { width: 1100, height: 800 } },
      phone: { size: PHONE },
    };
    await inTurns(
      Object.entries(colours).map(([name, options]) => async () => {
        const page = await open(w, `#/alerts?alert=${w.fp}`, options);
        await page.waitForSelector(".detail .path li");
        same(await sideways(page), 0, `${name} scrolls sideways`);
        const narrow = await page.$$eval(".nexts, .alert > .body, .what, .detail p", l =>
          l.filter(e => e.offsetWidth > 0 && e.offsetWidth < 110).map(e => `${e.className} ${e.offsetWidth} ${e.textContent.slice(0, 60)}`),
        );
        same(narrow, [], `${name} has columns too narrow to read`);
        await accessible(page, name);
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/alerts-${name}.png` });
        await close(page);
      }),
    );
  },

  async alerts_are_found(w) {
    const page = await open(w, "#/alerts");
    await page.waitForSelector(".group");
    holds(/^◆[23] tocsin/.test(await page.title()), await page.title());
    const groups = () => page.$$eval(".group h2", l => l.map(x => x.textContent));
    // by a severity, by text, by a label that is completed, by a click; the URL has it
    await page.click('.totals .pill:has-text("critical")');
    await until("only critical ones", async () => !(await groups()).includes("TTFTHigh") && (await groups()).includes("ModelServerDown"));
    holds(page.url().includes("severity=critical"), page.url());
    await page.goBack();
    await page.fill("#search", "fallen off");
    await until("found by text", async () => JSON.stringify(await groups()) === '["XidFellOffBus"]');
    await page.fill("#search", "");
    await page.waitForFunction(() => document.querySelectorAll(".group").length > 3);
    await page.type("#search", "team=");
    await page.waitForSelector('.offers [role="option"]:has-text("team=llm")');
    await page.press("#search", "ArrowDown");
    await page.press("#search", "Enter");
    await until("a chip stands there", async () => (await page.$$(".search .chip")).length === 1);
    await page.click(".search .chip");
    await page.type("#search", "not a { matcher");
    await page.press("#search", "Enter");
    await page.waitForSelector("#search-error");
    holds((await groups()).length > 0, "what is typed badly leaves the list alone");
    await page.fill("#search", "");
    await page.click('.alert .chip.pick:has-text("Hostname=gpu-07")', { modifiers: ["Alt"] });
    await until("excluded", async () => !(await groups()).includes("XidFellOffBus"));
    holds(decodeURIComponent(page.url()).includes('Hostname!="gpu-07"'), page.url());
    await page.goto(`${w.url}/#/alerts?alert=0000000000000000`);
    await page.waitForSelector(".detail .problem"); // a link to what has ended
    // keys
    await page.goto(`${w.url}/#/alerts`);
    await page.waitForSelector(".alert");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    const first = await page.evaluate(() => document.activeElement?.getAttribute("data-row"));
    holds(first, "j and k go from alert to alert");
    await page.keyboard.press("e");
    await page.waitForSelector(".detail .path li");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".detail", { state: "detached" });
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" });
    await page.keyboard.press("/");
    same(await page.evaluate(() => document.activeElement?.id), "search", "a slash searches");
    // a view is kept
    await page.goto(`${w.url}/#/alerts?q=off`);
    await page.click(".menu summary");
    await page.fill(".pop input", "mine");
    await page.click(".pop form button");
    await page.waitForSelector('.pop a:has-text("mine")');
    // what is typed stays while the list changes
    await page.goto(`${w.url}/#/alerts`);
    await page.click("#search");
    await page.keyboard.type("Storm");
    for (let i = 0; i < 10; i++) {
      await w.post("/api/v2/alerts", [...Array(20).keys()].map(k => ({ labels: { alertname: `Storm${i}`, k: String(k), severity: "info" } })));
      await sleep(60);
    }
    await until("the storm is seen", async () => (await groups()).filter(x => x.startsWith("Storm")).length === 10);
    same(await page.inputValue("#search"), "Storm", "what was typed");
    same(await page.evaluate(() => document.activeElement?.id), "search", "and where");
    await page.click('.more button:has-text("10")');
    const rows = () => page.$$eval(".group", l => l.map(g => g.querySelectorAll(".alert").length));
    await until("all of a group", async () => Math.max(...(await rows())) === 20);
    // what is far is not there until it comes near
    holds((await rows()).at(-1) === 0, `the last of them is far: ${await rows()}`);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await until("it comes near", async () => (await rows()).at(-1) > 0);
    await page.evaluate(() => scrollTo(0, 0));
    await w.post("/api/v2/alerts", [...Array(10).keys()].flatMap(i => [...Array(20).keys()].map(k => ({ labels: { alertname: `Storm${i}`, k: String(k), severity: "info" }, endsAt: new Date().toISOString() }))));
    await until("the storm ends", async () => (await groups()).length === 0);
    await close(page);
  },

  async a_silence_lives(w) {
    const page = await open(w, "#/alerts?filter=%7Balertname%3D%22TTFTHigh%22%7D", { allow: /409|400/ });
    await page.click('.alert >> nth=0 >> a:has-text("Silence")');
    await page.waitForSelector(".preview li");
    const boxes = await page.$$eval('fieldset input[type="checkbox"]', l => l.map(x => x.checked));
    holds(boxes.length >= 5, "a checkbox a label");
    await page.click('fieldset label:has-text("replica")');
    await until("the preview follows", async () => (await page.innerText(".preview b")) === "3");
    await page.click('.presets button:has-text("4h")');
    await page.click('button[type="submit"]');
    same(await page.evaluate(() => document.querySelector("input:invalid") !== null), true, "who and why are asked for");
    await page.fill("label:has-text('Who') input", "li");
    await page.fill("label:has-text('Why') input", XSS);
    await page.click('button[type="submit"]');
    await page.waitForSelector(".silence.active");
    const id = page.url().split("/").pop();
    const made = await w.get(`/api/v2/silence/${id}`);
    same([made.createdBy, made.comment, Math.round((Date.parse(made.endsAt) - Date.parse(made.startsAt)) / 60e3)], ["li", XSS, 240], "what was made");
    holds(!made.matchers.some(m => m.name === "replica"), "without what was unchecked");
    // on the board by whom, edited, ended, and had back
    await page.goto(`${w.url}/#/alerts?state=silenced`);
    await until("it is held", async () => (await page.innerText("main")).includes("TTFTHigh"));
    await page.goto(`${w.url}/#/silences/${id}/edit`);
    await page.waitForFunction(x => document.querySelector("label:last-of-type input, input[required]")?.value !== "" && [...document.querySelectorAll("input")].some(i => i.value === x), XSS);
    await page.fill("label:has-text('Why') input", "known since Monday");
    await page.click('button[type="submit"]');
    await until("it is another", async () => (await w.get(`/api/v2/silence/${page.url().split("/").pop()}`).catch(() => ({}))).comment === "known since Monday");
    await page.goto(`${w.url}/#/silences?q=monday`);
    await page.click('.silence button:has-text("End now")');
    await page.waitForSelector('.toast button:has-text("Undo")');
    await until("it has ended", async () => (await w.get("/api/v2/silences")).filter(s => s.comment === "known since Monday" && s.status.state === "active").length === 0);
    await page.click('.toast button:has-text("Undo")');
    await until("it is back", async () => (await w.get("/api/v2/silences")).filter(s => s.comment === "known since Monday" && s.status.state === "active").length === 1);
    await page.waitForSelector('.silence.active input[type="checkbox"]');
    await page.check('.silence.active input[type="checkbox"]');
    await page.click('[role="toolbar"] button:has-text("End now")');
    await until("several at once", async () => (await w.get("/api/v2/silences")).filter(s => s.comment === "known since Monday" && s.status.state === "active").length === 0);
    // what cannot be read is said beside the field, and what was typed stays
    await page.goto(`${w.url}/#/silences/new`);
    await page.fill('input[aria-label="Another matcher"]', 'a=~"("');
    await page.fill("label:has-text('Who') input", "li");
    await page.fill("label:has-text('Why') input", "x");
    await page.click('button[type="submit"]');
    await page.waitForSelector("form .problem");
    same(await page.inputValue("label:has-text('Why') input"), "x", "what was typed");
    // several by one form: what is refused stays, with its reason
    await page.goto(`${w.url}/#/silences/new?filter=${encodeURIComponent('{a="1"}')}`);
    await page.click('button:has-text("And another silence")');
    await page.fill('fieldset:nth-of-type(2) input[aria-label="Another matcher"]', 'b="2"');
    await page.click('button:has-text("And another silence")');
    await page.fill("label:has-text('Who') input", "li");
    await page.fill("label:has-text('Why') input", "both at once");
    await page.click('button[type="submit"]');
    await page.waitForSelector("fieldset:nth-of-type(3) .problem");
    await page.click('fieldset:nth-of-type(3) button:has-text("Leave this one out")');
    await page.click('button[type="submit"]');
    await until("both are there", async () => (await w.get("/api/v2/silences")).filter(s => s.comment === "both at once").map(s => s.matchers.map(m => m.name + m.value).join()).sort().join(" ") === "a1 b2");
    // links of Alertmanager's page
    await page.goto(`${w.url}/#/silences/new?filter=${encodeURIComponent('{gpu=~"0|1"}')}&comment=why`);
    await until("filled in", async () => (await page.innerText("fieldset")).includes('gpu=~"0|1"'));
    await page.goto(`${w.url}/graph?g0.expr=up&g0.tab=1`);
    await page.waitForSelector(".result td");
    await close(page);
  },

  async rules_say_why(w) {
    const page = await open(w, "#/rules?q=QueueGrows");
    await page.click('.rule .fold:has-text("QueueGrows")');
    await page.click('.rule button:has-text("Why")');
    await page.waitForSelector(".why .result td");
    holds(/vllm_num_requests_waiting/.test(await page.innerText(".why")), await page.innerText(".why"));
    holds(/What it would say/.test(await page.innerText(".why")) && (await page.$$(".why dd")).length > 0, await page.innerText(".why"));
    await accessible(page, "why");
    // what matches nothing is found by its condition, once it was looked at: one rule in ten seconds
    const seen = async () => (await w.get("/api/tocsin/rules_health")).rules.find(r => r.name === "NeverSeen").condition;
    await until("it was looked at", async () => (await seen()) === "never_matched", 120);
    await page.goto(`${w.url}/#/rules`);
    await page.reload();
    await page.waitForSelector(".rule");
    await page.click('.bar .pill:has-text("never matched")');
    await until("only those", async () => (await page.$$eval(".rule .fold", l => l.map(x => x.textContent))).join() === "NeverSeen");
    await page.click('.rule .fold:has-text("NeverSeen")');
    await page.click('.rule button:has-text("Why")');
    await page.waitForSelector('.why .caution:has-text("vllm_nothing_of_this_name")');
    // an expression becomes a rule, with what lint says to it
    await page.goto(`${w.url}/#/query?expr=${encodeURIComponent("vllm_ttft_p95_seconds > 1")}`);
    await page.click('button:has-text("Make a rule of it")');
    await page.waitForFunction(() => document.querySelector(".draft textarea")?.value.includes("vllm_ttft_p95_seconds > 1"));
    const draft = await page.inputValue(".draft textarea");
    await page.fill(".draft textarea", draft.replace("> 1", "> > 1"));
    await page.waitForSelector(".draft .problem:has-text('line 6')");
    await page.fill(".draft textarea", draft.replace("$value", "$labels.nothing_there"));
    await until("the mistake is gone", async () => (await page.$$(".draft .problem")).length === 0);
    await accessible(page, "a rule that is written");
    await close(page);
  },

  async a_receiver_is_tried(w) {
    const page = await open(w, "#/receivers?name=oncall");
    await page.waitForSelector('article[aria-current="true"]:has-text("oncall")');
    await page.click('article[aria-current="true"] button:has-text("Send a test")');
    await page.waitForSelector('article[aria-current="true"] .told .verdict.ok');
    await page.click('article:has-text("存储") button:has-text("Send a test")');
    await page.waitForSelector('article:has-text("存储") .told .verdict.bad');
    // a reload that changes nothing, and what would change
    await page.goto(`${w.url}/#/status`);
    await page.click('button:has-text("What would change")');
    await page.waitForSelector("main .panel:nth-of-type(2) pre");
    await page.goto(`${w.url}/#/targets`);
    await page.waitForSelector('.problem:has-text("__scheme__")');
    await close(page);
  },

  async a_preview_follows(w) {
    const page = await open(w, "#/silences/new?filter=%7Balertname%3D%22ComesLater%22%7D");
    await until("nothing yet", async () => /\b0 /.test(await page.innerText(".preview p")));
    await w.post("/api/v2/alerts", [{ labels: { alertname: "ComesLater" } }]);
    await page.waitForSelector('.preview li:has-text("ComesLater")');
    await close(page);
  },

  async the_server_goes_and_comes_back(w) {
    const page = await open(w, "#/alerts", { allow: /ERR_|Failed to load/ });
    await page.waitForSelector(".group");
    await until("live", async () => (await page.innerText(".fresh")).includes("live"));
    const before = await page.$$eval(".group h2", l => l.length);
    await w.stop("SIGKILL");
    await page.waitForSelector(".fresh.old");
    same(await page.$$eval(".group h2", l => l.length), before, "the last data stay");
    await w.start(w.address);
    await page.waitForFunction(() => !document.querySelector(".fresh.old") && document.querySelector(".fresh")?.textContent?.includes("live"));
    await w.post("/api/v2/alerts", [{ labels: { alertname: "AfterTheFall", severity: "critical" } }]);
    await page.waitForSelector('.group:has-text("AfterTheFall")');
    await close(page);
  },

  async six_tabs(w) {
    const first = await open(w, "#/alerts");
    const tabs = [first];
    for (let i = 1; i < 6; i++) {
      const p = await first.context().newPage();
      p.problems = [];
      p.on("pageerror", e => p.problems.push(String(e)));
      await p.goto(`${w.url}/#/alerts?q=${["", "gpu", "P95", "model", "fallen", "磁盘"][i]}`);
      tabs.push(p);
    }
    for (const p of tabs) await p.waitForSelector(".group");
    const streams = async () => Number(/tocsin_board_streams (\d+)/.exec(await (await fetch(`${w.url}/metrics`)).text())?.[1]);
    await until("one stream a browser", async () => (await streams()) === 1); // those before it end a little later
    await w.post("/api/v2/alerts", [{ labels: { alertname: "SeenByAll", severity: "critical", gpu: "P95 model fallen gpu 磁盘" } }]);
    for (const p of tabs) await p.waitForSelector('.group:has-text("SeenByAll")');
    await close(first);
  },

};

// Those that have a world of their own: beside the others.
const alone = {
  async text_is_text() {
    const w = await makeWorld();
    try {
      await markupEverywhere(w);
    } finally {
      await w.end();
    }
  },

  async tokens_and_forms() {
    const w = await makeWorld({ tokens: "[{name: eyes, token: r-token, scope: read}, {name: hands, token: s-token, scope: silence}]" });
    try {
      const page = await open(w, "#/alerts", { allow: /401|403/ });
      await page.waitForSelector(".login form");
      await accessible(page, "login");
      if (SHOTS) await page.screenshot({ path: `${SHOTS}/login.png` });
      await page.fill('input[name="token"]', "wrong");
      await page.click('button[type="submit"]');
      await page.waitForSelector(".login .problem");
      await page.fill('input[name="token"]', "r-token");
      await page.click('button[type="submit"]');
      await page.waitForSelector(".group");
      await until("who am I", async () => (await page.innerText("nav .foot")).includes("eyes"));
      same((await page.$$("a[data-silence]")).length, 0, "who may not silence is not asked to");
      await page.goto(`${w.url}/#/silences`);
      await page.waitForSelector(".tabs");
      same((await page.$$('a:has-text("New silence")')).length, 0, "nor here");
      await page.reload();
      await page.waitForSelector(".tabs");
      await page.evaluate(() => sessionStorage.clear());
      await page.reload();
      await page.waitForSelector(".login form");
      await page.fill('input[name="token"]', "s-token");
      await page.click('button[type="submit"]');
      await page.waitForSelector('a:has-text("New silence")');
      await page.goto(`${w.url}/#/silences/new?filter=${encodeURIComponent('{team="gpu"}')}`);
      await page.waitForSelector("label:has-text('Who') input");
      await until("his name is his", async () => (await page.inputValue("label:has-text('Who') input")) === "hands");
      await page.fill("label:has-text('Why') input", "by token");
      await page.click('button[type="submit"]');
      await page.waitForSelector(".silence.active");
      same((await (await fetch(`${w.url}/api/v2/alerts`)).text()).includes("labels"), false, "without a token there is nothing");
      await close(page);
    } finally {
      await w.end();
    }
  },

  async below_a_path() {
    // --web.route-prefix behind a proxy that has it below another path, and keeps event streams to itself
    const w = await makeWorld({ flags: ["--web.route-prefix=/inner", "--web.external-url=http://proxy/outer/"] });
    const proxy = http.createServer((rq, rs) => {
      if (!rq.url.startsWith("/outer/")) {
        rs.statusCode = 404;
        rs.end();
        return;
      }
      const up = http.request(`${w.url}/inner/${rq.url.slice(7)}`, { method: rq.method, headers: rq.headers }, answer => {
        rs.writeHead(answer.statusCode, answer.headers);
        if (/event-stream/.test(answer.headers["content-type"] ?? "")) answer.resume();
        else answer.pipe(rs);
      });
      rq.pipe(up);
      up.on("error", () => rs.destroy());
      rs.on("close", () => up.destroy());
    });
    const port = await new Promise(done => proxy.listen(0, "127.0.0.1", () => done(proxy.address().port)));
    try {
      const page = await open(w, "#/alerts", { url: `http://127.0.0.1:${port}/outer` });
      await page.waitForSelector(".group");
      await until("it asks where the stream does not come through", async () => (await page.innerText(".fresh")).includes("polling"));
      await close(page);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
      await w.end();
    }
  },
};

if (SHOTS) mkdirSync(SHOTS, { recursive: true });
const wanted = process.argv.slice(2);
let failed = 0;
const w = await makeWorld();
const run = async (list, shared) => {
  for (const [name, test] of Object.entries(list)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const begun = Date.now();
    const took = () => `(${((Date.now() - begun) / 1000).toFixed(1)} s)`;
    try {
      await test(shared);
      console.log(`${name}: ok ${took()}`);
    } catch (e) {
      failed++;
      console.log(`${name}: FAILED ${took()}`, e);
      for (const [context, world] of opened) {
        if (shared ? world !== shared : world === w) continue;
        for (const p of context.pages()) console.log(p.url(), p.problems, (await p.innerText("body", { timeout: 5000 }).catch(String)).slice(0, 600));
        await context.close();
      }
    }
  }
};
try {
  await fill(w);
  await Promise.all([run(tests, w), run(alone, null)]);
} finally {
  await browser.close();
  await w.end();
}
process.exit(failed ? 1 : 0);
