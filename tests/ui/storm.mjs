// 20,000 alerts in 5,000 groups on the screen: when something is seen, how long an interaction takes, what it holds. Not judged by CI.
// usage: storm.mjs [GROUPS [SECONDS]]; OLD=PROGRAM: the page of an older tocsin beside it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeWorld, sleep, until } from "./world.mjs";

const { chromium } = createRequire(new URL("../../src/ui/package.json", import.meta.url))("playwright-core");
const GROUPS = Number(process.argv[2] ?? 5000);
const w = await makeWorld();
const alertsOf = (from, to, extra = {}) =>
  [...Array(to - from).keys()].flatMap(i =>
    [0, 1, 2, 3].map(k => ({
      labels: { alertname: `Storm${from + i}`, severity: ["critical", "warning", "info"][(from + i) % 3], instance: `10.0.${(from + i) % 250}.${k}:9100`, job: "node", cluster: "gpu-east", ...extra },
      annotations: { summary: `Storm ${from + i} on node ${k}` },
    })),
  );
const post = (from, to, extra = {}) => w.post("/api/v2/alerts", alertsOf(from, to, extra));
for (let i = 0; i < GROUPS; i += 250) await post(i, i + 250);
await until("they are there", async () => (await w.get("/api/tocsin/board?limit=0")).totals.alerts >= GROUPS * 4, 60);
console.log("loop before anybody looks:", (await w.get("/api/tocsin/overview?loop=true")).loop);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--enable-precise-memory-info"] });
const page = await (await browser.newContext({ viewport: { width: 1360, height: 850 } })).newPage();
const begun = Date.now();
await page.goto(`${w.url}/#/alerts`);
await page.waitForSelector(".group");
console.log(`first group after ${Date.now() - begun} ms`);
console.log(`first contentful paint ${await page.evaluate(() => Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1))} ms`);
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable");
const heap = async () => {
  await cdp.send("HeapProfiler.collectGarbage");
  return ((await cdp.send("Performance.getMetrics")).metrics.find(m => m.name === "JSHeapUsedSize").value / 1e6).toFixed(1);
};
console.log(`heap ${await heap()} MB`);
await page.evaluate(() => {
  globalThis.long = [];
  new PerformanceObserver(l => globalThis.long.push(...l.getEntries().map(e => Math.round(e.duration)))).observe({ type: "longtask" });
  globalThis.events = [];
  new PerformanceObserver(l => globalThis.events.push(...l.getEntries().map(e => Math.round(e.duration)))).observe({ type: "event", durationThreshold: 16 });
});
await page.keyboard.press("j");
await page.click(".fold >> nth=2");
await page.click('.totals .pill:has-text("warning")');
await page.waitForFunction(() => document.querySelector(".group .sev")?.textContent === "warning");
await page.goBack();
for (let i = 0; i < 4; i++) {
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await sleep(600);
}
console.log(`${await page.$$eval(".group", l => l.length)} groups in the page, heap ${await heap()} MB`);
console.log("interactions over 16 ms:", await page.evaluate(() => globalThis.events.sort((a, b) => b - a).slice(0, 5)), "long tasks:", await page.evaluate(() => globalThis.long.sort((a, b) => b - a).slice(0, 5)));
await page.evaluate(() => {
  globalThis.long.length = globalThis.events.length = 0;
  scrollTo(0, 0);
});
// 100 changes a second for a while
const metric = async () => Number(/tocsin_board_bytes_total (\d+)/.exec(await (await fetch(`${w.url}/metrics`)).text())?.[1]);
const before = await metric();
const seconds = Number(process.argv[3] ?? 20);
for (const end = Date.now() + seconds * 1000, n = { i: 0 }; Date.now() < end; n.i++) {
  await post((n.i * 25) % GROUPS, ((n.i * 25) % GROUPS) + 25, { flap: String(n.i % 2) });
  await sleep(1000);
  if (n.i % 20 === 19) console.log(`  after ${n.i + 1} s: heap ${await heap()} MB, ${await page.evaluate(() => document.getElementsByTagName("*").length)} elements`);
}
console.log(`${(((await metric()) - before) / seconds / 1024).toFixed(0)} KB a second at 100 changes a second, heap ${await heap()} MB`);
console.log("long tasks meanwhile:", await page.evaluate(() => globalThis.long.sort((a, b) => b - a).slice(0, 5)));
console.log("loop:", (await w.get("/api/tocsin/overview?loop=true")).loop);
if (process.env.OLD) await beside(process.env.OLD);
await browser.close();
await w.end();

/** What another program's page makes of the same alerts, and of a critical one that comes last. */
async function beside(program) {
  const dir = mkdtempSync(join(tmpdir(), "tocsin-old-"));
  writeFileSync(join(dir, "t.yml"), "route: {receiver: r, group_by: [alertname]}\nreceivers: [{name: r}]\n");
  const p = spawn(program, [`--config.file=${dir}/t.yml`, `--storage.path=${dir}/data`, "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="]);
  let log = "";
  for (const s of [p.stdout, p.stderr]) s.on("data", d => (log += d));
  const url = `http://${await until("it listens", () => /address=(127\.0\.0\.1:\d+)/.exec(log)?.[1])}`;
  const send = list => fetch(`${url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(list) });
  for (let i = 0; i < GROUPS; i += 250) await send(alertsOf(i, i + 250));
  const theirs = await (await browser.newContext({ viewport: { width: 1360, height: 850 } })).newPage();
  const begun = Date.now();
  await theirs.goto(url);
  await theirs.waitForFunction(() => document.body.innerText.includes("Storm"), null, { timeout: 60_000 });
  const cdp = await theirs.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  await cdp.send("HeapProfiler.collectGarbage");
  const all = Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(m => [m.name, m.value]));
  await theirs.evaluate(() => {
    globalThis.long = [];
    new PerformanceObserver(l => globalThis.long.push(...l.getEntries().map(e => Math.round(e.duration)))).observe({ type: "longtask" });
  });
  console.log(`the other page: first alert after ${Date.now() - begun} ms, heap ${(all.JSHeapUsedSize / 1e6).toFixed(1)} MB, ${all.Nodes} nodes`);
  await send([{ labels: { alertname: "TheWorst", severity: "critical" } }]);
  await w.post("/api/v2/alerts", [{ labels: { alertname: "TheWorst", severity: "critical" } }]);
  const seen = (where, begun) =>
    where.waitForFunction(() => document.body.innerText.includes("TheWorst"), null, { timeout: 60_000 }).then(
      () => `after ${Date.now() - begun} ms`,
      () => "never",
    );
  const now = Date.now();
  console.log(`a critical alert that comes last is seen here ${await seen(page, now)}, there ${await seen(theirs, now)}`);
  console.log("long tasks there:", await theirs.evaluate(() => globalThis.long.sort((a, b) => b - a).slice(0, 5)));
  p.kill();
  rmSync(dir, { recursive: true, force: true });
}
