// Makes src/ui/dist: the files that are compiled into the program. The same input gives the same bytes.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.TOCSIN_UI_OUT ?? join(here, "dist");
const ENTRY_MAX = 60 * 1024; // bytes of gzip that the first page takes: html, app.js with what it imports at once, app.css

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
// What it is made from: another version of the page has another worker, though the old one is still at work for other tabs.
const sources = createHash("sha256");
for (const f of readdirSync(join(here, "src"), { recursive: true }).map(String).sort())
  if (/\.(tsx?|css)$/.test(f)) sources.update(f).update(readFileSync(join(here, "src", f)));
sources.update(readFileSync(join(here, "package-lock.json")));

const options = {
  define: { __BUILD__: JSON.stringify(sources.digest("hex").slice(0, 12)) },
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: out,
  metafile: true,
};
const app = await build({
  ...options,
  entryPoints: { app: "src/main.tsx" },
  format: "esm",
  splitting: true,
  chunkNames: "[name]-[hash]",
});
const worker = await build({ ...options, entryPoints: { worker: "src/worker.ts" }, format: "iife" });
cpSync(join(here, "index.html"), join(out, "index.html"));
cpSync(join(here, "icon.svg"), join(out, "icon.svg"));

// Licences of all that is in it.
const packages = new Set();
for (const result of [app, worker])
  for (const path of Object.keys(result.metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (found) packages.add(found[1]);
  }
const licences = [...packages].sort().map(name => {
  const dir = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  const file = readdirSync(dir).find(f => /^licen[cs]e/i.test(f));
  const text = file ? readFileSync(join(dir, file), "utf8").trim() : `licensed under ${license}, see its repository`;
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(join(out, "licenses.txt"), `What the user interface of tocsin is made with.\n\n${licences.join(`\n${"-".repeat(80)}\n\n`)}`);

const outputs = app.metafile.outputs;
const entry = Object.keys(outputs).find(f => f.endsWith("/app.js") || f === "app.js");
const first = new Set(["index.html", "app.css"]);
const follow = name => {
  first.add(name.split("/").pop());
  for (const i of outputs[name].imports) if (i.kind === "import-statement" && !first.has(i.path.split("/").pop())) follow(i.path);
};
follow(entry);
const size = [...first].reduce((n, f) => n + gzipSync(readFileSync(join(out, f)), { level: 9 }).length, 0);
console.log(`the first page is ${(size / 1024).toFixed(1)} KB compressed: ${[...first].join(", ")}`);
if (size > ENTRY_MAX) throw new Error(`the first page is more than ${ENTRY_MAX} bytes`);
