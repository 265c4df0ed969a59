// What a chat was sent, as a page: the title, the text with its bold letters and links, and nothing that the vendor's own application
// adds. The text is read by the vendor's rules as far as the readable texts use them; whatever else it says is shown as text.
const escape = s => s.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

const ENTITY = { amp: "&", lt: "<", gt: ">", quot: '"' };
const entity = name => ENTITY[name] ?? String.fromCodePoint(Number(name.replace("#", "")));

// One kind of markup: which signs make bold letters and links, whether a backslash or an entity stands for a sign.
const KINDS = {
  dingtalk: { bold: /\*\*(.+?)\*\*/, square: true, backslash: true },
  feishu: { bold: /\*\*(.+?)\*\*/, square: true, entities: true },
  wecom: { bold: /\*\*(.+?)\*\*/, square: true },
  slack: { bold: /(?<![^\s(])\*([^*\n]+)\*/, angles: true, entities: true },
  teams: { bold: /\*\*(.+?)\*\*/, square: true, backslash: true, entities: true },
  discord: { bold: /\*\*(.+?)\*\*/, square: true, backslash: true },
};

function inline(text, kind) {
  const k = KINDS[kind];
  const signs = [
    ["backslash", k.backslash && /\\([!-/:-@[-`{-~])/],
    ["square", k.square && /(?<!\\)\[((?:[^\]\\]|\\.)*)\]\((https?:[^)\s]*)\)/],
    ["angles", k.angles && /<(https?:[^|>]*)\|([^>]*)>/],
    ["entities", k.entities && /&(#\d+|amp|lt|gt|quot);/],
    ["bold", k.bold],
  ].filter(([, pattern]) => pattern);
  let out = "";
  for (let rest = text; rest; ) {
    let first;
    for (const [name, pattern] of signs) {
      const m = pattern.exec(rest);
      if (m && (!first || m.index < first.m.index)) first = { name, m };
    }
    if (!first) return out + escape(rest);
    const { name, m } = first;
    out += escape(rest.slice(0, m.index));
    if (name === "backslash") out += escape(m[1]);
    else if (name === "entities") out += escape(entity(m[1]));
    else if (name === "bold") out += `<b>${inline(m[1], kind)}</b>`;
    else if (name === "square") out += `<a href="${escape(m[2])}">${inline(m[1], kind)}</a>`;
    else out += `<a href="${escape(m[1].replace(/&amp;/g, "&"))}">${inline(m[2], kind)}</a>`;
    rest = rest.slice(m.index + m[0].length);
  }
  return out;
}

/** Paragraphs by blank lines, lines by line ends. */
function body(text, kind) {
  const lines = kind === "teams" ? text.split(/\n\n/) : text.split("\n");
  const parts = lines.map(l => l.trim()).reduce((all, l) => (l ? all[all.length - 1].push(l) : all.push([]), all), [[]]);
  return parts
    .filter(p => p.length)
    .map(p => p.map(l => (/^#+ /.test(l) ? `<span class="big">${inline(l.replace(/^#+ /, ""), kind)}</span>` : inline(l, kind))).join("<br>"))
    .map(p => `<p>${p}</p>`)
    .join("\n");
}

/** The title and the text of a payload, with the colour that the vendor is told. */
const READ = {
  dingtalk: p => ({ text: p.markdown.text }),
  feishu: p => ({ title: p.card.header.title.content, text: p.card.elements[0].content, colour: p.card.header.template }),
  wecom: p => ({ text: p.markdown.content }),
  slack: p => ({ title: p.attachments[0].title, text: p.attachments[0].text, colour: { danger: "red", warning: "orange", good: "green" }[p.attachments[0].color] }),
  teams: p => ({ title: p.attachments[0].content.body[0].text, text: p.attachments[0].content.body[1].text, colour: "red" }),
  discord: p => ({ title: p.embeds[0].title, text: p.embeds[0].description, colour: p.embeds[0].color === 10038562 ? "red" : "green" }),
};
const NAMES = { dingtalk: "DingTalk", feishu: "Feishu", wecom: "WeCom", slack: "Slack", teams: "Teams", discord: "Discord" };

export function readPayload(kind, payload) {
  return READ[kind](payload);
}

const STYLE = `
:root { color-scheme: light dark; --page: #eceff3; --card: #fff; --text: #1f2328; --quiet: #57606a; --line: #d5d9de; --link: #0b57a4; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --card: #1e2226; --text: #e6e9ec; --quiet: #aab2ba; --line: #3a4047; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }
header { color: var(--quiet); margin: 0 0 12px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 16px; align-items: start; }
article { min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; overflow-wrap: anywhere; }
h2 { margin: 0; padding: 6px 12px; font-size: 12px; font-weight: 600; color: var(--quiet); border-bottom: 1px solid var(--line); }
h3 { margin: 0; padding: 8px 12px; font-size: 15px; border-left: 4px solid var(--line); }
h3.red { border-color: #b3261e; } h3.orange { border-color: #8a4b00; } h3.green { border-color: #1a6b3c; } h3.blue { border-color: #0b57a4; }
.text { padding: 8px 12px; } p { margin: 0 0 8px; } .big { font-size: 17px; } a { color: var(--link); }`;

/** A page of several payloads: [kind, payload]. */
export function previewPage(list, lang) {
  const cards = list.map(([kind, payload]) => {
    const { title, text, colour } = READ[kind](payload);
    return `<article><h2>${NAMES[kind]}</h2>${title ? `<h3 class="${colour ?? ""}">${inline(title, kind)}</h3>` : ""}<div class="text">${body(text, kind)}</div></article>`;
  });
  const note = lang === "zh" ? "实际发送内容的预览，并非各厂商客户端的界面" : "A preview of what is sent, not of the vendors' applications";
  return `<!DOCTYPE html><html lang="${lang === "zh" ? "zh-CN" : "en"}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Messages</title><style>${STYLE}</style></head><body><header>${note}</header><main>${cards.join("\n")}</main></body></html>`;
}
