import { createRequire } from "node:module";
import { makeWorld, sleep, until } from "./world.mjs";
const { chromium } = createRequire(new URL("../../src/ui/package.json", import.meta.url))("playwright-core");
const w = await makeWorld();
await until("alerts", async () => (await w.get("/api/tocsin/board")).totals.alerts >= 10);
await w.silence({ alertname: "LinkFlaps" }, "switch is replaced on Tuesday");
await sleep(2500);
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const shots = process.argv.slice(2);
for (const shot of shots) {
  const [name, hash, size, scheme, locale] = shot.split("|");
  const [width, height] = size.split("x").map(Number);
  const c = await b.newContext({ viewport: { width, height }, colorScheme: scheme || "light", locale: locale || "en-GB", deviceScaleFactor: 1 });
  const p = await c.newPage();
  p.on("console", m => console.log("console", m.type(), m.text()));
  p.on("pageerror", e => console.log("pageerror", e.stack));
  let h = hash;
  if (h.includes("FP")) { const x = await w.get('/api/v2/alerts?filter=alertname=XidFellOffBus'); h = h.replace("FP", x[0].fingerprint); }
  await p.goto(`${w.url}/${h}`);
  await sleep(2200);
  const wide = await p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) console.log(name, "scrolls sideways by", wide, await p.evaluate(() => [...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map(e => e.tagName + "." + e.className)));
  await p.screenshot({ path: `/tmp/shot-${name}.png` });
  await c.close();
}
await b.close();
await w.end();
