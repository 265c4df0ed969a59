// Keys of a screen: they do nothing while something is typed, and nothing with a modifier.
import { useEffect } from "preact/hooks";

export type Keys = Record<string, (e: KeyboardEvent) => void>;

const typing = (e: Event): boolean => {
  const t = e.composedPath()[0];
  return t instanceof HTMLElement && (t.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName));
};

/** Whether a dialog is open: the keys of what is behind it are silent. */
const covered = (): boolean => document.querySelector("dialog[open]") !== null;

export function useKeys(keys: Keys): void {
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || covered()) return;
      const f = keys[e.key];
      if (!f) return;
      e.preventDefault();
      f(e);
    };
    addEventListener("keydown", down);
    return () => removeEventListener("keydown", down);
  });
}
