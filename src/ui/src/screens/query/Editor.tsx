// The editor of PromQL. It lives in a shadow root, so that its styles are those of a sheet and need no hole in the policy.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "preact/hooks";
import { authHeaders, base } from "../../lib/api";
import { T } from "../../lib/i18n";

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--crit)" },
  { tag: tags.function(tags.variableName), color: "var(--info)" },
  { tag: tags.labelName, color: "var(--warn)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.number, tags.literal], color: "var(--held)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "14px" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { caretColor: "var(--ink)", fontFamily: "ui-monospace, Menlo, monospace", padding: "8px 4px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { background: "var(--raised) !important" },
  ".cm-tooltip": { background: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--raised)", color: "var(--ink)" },
  ".cm-placeholder": { color: "var(--soft)" },
});

export function Editor({ text, onText, onRun }: { text: string; onText: (s: string) => void; onRun: () => void }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const calls = useRef({ onText, onRun });
  calls.current = { onText, onRun };
  useEffect(() => {
    const e = host.current;
    if (!e) return;
    const root = e.shadowRoot ?? e.attachShadow({ mode: "open" });
    const promql = new PromQLExtension().setComplete({
      remote: {
        url: new URL(base, location.href).href.replace(/\/$/, ""),
        httpMethod: "GET",
        requestHeaders: new Headers(authHeaders()),
        cache: { maxAge: 60_000 },
      },
    });
    view.current = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: text,
        extensions: [
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          EditorView.lineWrapping,
          syntaxHighlighting(colours),
          look,
          placeholder(T().query.placeholder),
          EditorView.contentAttributes.of({ "aria-label": T().query.editor }),
          promql.asExtension(),
          // what completes comes first; a new line is Shift-Enter
          Prec.high(
            keymap.of(
              ["Enter", "Mod-Enter"].map(key => ({
                key,
                run: () => {
                  calls.current.onRun();
                  return true;
                },
              })),
            ),
          ),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.updateListener.of(u => {
            if (u.docChanged) calls.current.onText(u.state.doc.toString());
          }),
        ],
      }),
    });
    return () => {
      view.current?.destroy();
      view.current = null;
    };
  }, []);
  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== text) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: text } });
  }, [text]);
  return <div class="editor" ref={host} />;
}
