// 1,000 groups that flap for ten minutes, 100 changes a second: does the page grow, does it lose the focus or what is being typed?
// Not judged by CI. usage: flap.mjs [GROUPS [SECONDS]]
import { createRequire } from "node:module";
import { makeWorld, sleep, until } from "./world.mjs";

const { chromium } = createRequire(new URL("../../src/ui/package.json", import.meta.url))("playwright-core");
const GROUPS = Number(process.argv[2] ?? 1000);
const SECONDS = Number(process.argv[3] ?? 600);
const EACH = 100;
const w = await makeWorld();
const fires = Array(GROUPS).fill(true);
const alert = i => ({
  labels: { alertname: `Flaps${i}`, severity: ["critical", "warning", "info"][i % 3], instance: `10.0.0.${i % 250}:9100`, job: "node" },
  annotations: { summary: `${i} comes and goes` },
  ...(fires[i] ? {} : { endsAt: new Date(Date.now() - 1000).toISOString() }),
});
const post = list => w.post("/api/v2/alerts", list.map(alert));
await post([...fires.keys()]);
await until("they are there", async () => (await w.get("/api/tocsin/board?limit=0")).totals.alerts >= GROUPS, 60);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--enable-precise-memory-info"] });
const page = await (await browser.newContext({ viewport: { width: 1360, height: 850 } })).newPage();
await page.goto(`${w.url}/#/alerts`);
await page.waitForSelector(".group");
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable");
const figures = async () => {
  await cdp.send("HeapProfiler.collectGarbage");
  const all = Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(m => [m.name, m.value]));
  return `heap ${(all.JSHeapUsedSize / 1e6).toFixed(2)} MB, ${all.Nodes} nodes, ${all.JSEventListeners} listeners`;
};
for (let i = 0; i < 5; i++) {
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await sleep(600);
}
await page.evaluate(() => scrollTo(0, 0));
console.log(`${await page.$$eval(".group", l => l.length)} groups in the page: ${await figures()}`);
await page.click("#search");
await page.keyboard.type("severity=cri");
let lost = 0;
for (const end = Date.now() + SECONDS * 1000, n = { i: 0 }; Date.now() < end; n.i++) {
  const begun = Date.now();
  const list = [...Array(EACH).keys()].map(k => (n.i * EACH + k * 7) % GROUPS);
  for (const i of list) fires[i] = !fires[i];
  await post([...new Set(list)]);
  const [focus, text] = await page.evaluate(() => [document.activeElement?.id, document.querySelector("#search")?.value]);
  if (focus !== "search" || text !== "severity=cri") {
    lost++;
    if (lost === 1) console.log(`lost: focus on "${focus}", text "${text}"`);
  }
  await sleep(Math.max(0, 1000 - (Date.now() - begun)));
  if (n.i % 30 === 29) console.log(`after ${n.i + 1} s: ${await figures()}`);
  if (process.env.SNAPSHOT && (n.i === 30 || n.i === SECONDS - 5)) await snapshot(`${process.env.SNAPSHOT}-${n.i}.json`);
}
console.log(`focus or text lost ${lost} times; ${await figures()}`);
console.log("loop:", (await w.get("/api/tocsin/overview?loop=true")).loop);
await browser.close();
await w.end();

/** For who looks for what grows. */
async function snapshot(file) {
  const { createWriteStream } = await import("node:fs");
  const out = createWriteStream(file);
  cdp.on("HeapProfiler.addHeapSnapshotChunk", c => out.write(c.chunk));
  await cdp.send("HeapProfiler.takeHeapSnapshot", {});
  cdp.removeAllListeners("HeapProfiler.addHeapSnapshotChunk");
  out.end();
}
