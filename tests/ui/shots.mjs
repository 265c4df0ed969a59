// The pictures of docs/img, taken of the world of the tests. Usage: node tests/ui/shots.mjs [NAME...]
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { keep, OUT } from "./picture.mjs";
import { makeWorld, sleep, until } from "./world.mjs";

const { chromium } = createRequire(new URL("../../src/ui/package.json", import.meta.url))("playwright-core");
const DESK = { width: 1360, height: 860 };
const PHONE = { width: 390, height: 844 };
const SHOTS = {
  alerts: ["#/alerts", DESK],
  "alerts-dark": ["#/alerts?alert=FP", DESK, "dark"],
  "alerts-phone": ["#/alerts", PHONE],
  "alerts-zh": ["#/alerts", DESK, "light", "zh-CN"],
  alert: ["#/alerts?alert=FP", { width: 1360, height: 1080 }],
  "alert-phone": ["#/alerts?alert=FP", PHONE, "dark"],
  silences: ["#/silences", { width: 1360, height: 420 }],
  "silence-new": ["#/silences/new?from=alert&filter=%7Balertname%3D%22TTFTHigh%22%2Creplica%3D%22vllm-0%22%2Cteam%3D%22llm%22%7D", { width: 1360, height: 700 }],
  rules: ["#/rules", DESK],
  query: ["#/query?expr=vllm_ttft_p95_seconds%20%3E%201&tab=graph&hours=0.25", { width: 1360, height: 620 }],
  routes: ["#/routes?labels=%7B%22severity%22%3A%22critical%22%2C%22team%22%3A%22gpu%22%7D", { width: 1360, height: 760 }],
  notifications: ["#/notifications", DESK],
  receivers: ["#/receivers", { width: 1360, height: 500 }],
  targets: ["#/targets", { width: 1360, height: 400 }],
  status: ["#/status", DESK],
};

const w = await makeWorld();
await until("alerts fire", async () => (await w.get("/api/tocsin/board")).totals.alerts >= 12, 30);
await w.silence({ alertname: "LinkFlaps" }, "the switch of rack 2 is replaced on Tuesday");
await w.silence({ team: "nobody" }, "left over from the migration", 5, "li");
await sleep(45_000); // for graphs
const fp = (await w.get("/api/v2/alerts?filter=alertname%3DXidFellOffBus"))[0].fingerprint;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const painter = await browser.newPage();
mkdirSync(OUT, { recursive: true });
const wanted = process.argv.slice(2);
for (const [name, [hash, viewport, colorScheme = "light", locale = "en-GB"]] of Object.entries(SHOTS)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const context = await browser.newContext({ viewport, colorScheme, locale, timezoneId: "Asia/Shanghai", reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${w.url}/${hash.replace("FP", fp)}`);
  await sleep(1800);
  await keep(painter, await page.screenshot(), name);
  await context.close();
}
await browser.close();
await w.end();
