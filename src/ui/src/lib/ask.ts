// A question of a screen: its answer, its failure beside it, asked again each so many seconds while the screen is seen.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface Asked<T> {
  data: Signal<T | null>;
  error: Signal<Error | null>;
  again: () => Promise<void>;
}

export function useAsk<T>(question: () => Promise<T>, deps: readonly unknown[], each = 0): Asked<T> {
  const data = useSignal<T | null>(null);
  const error = useSignal<Error | null>(null);
  const turn = useRef(0);
  const latest = useRef(question);
  latest.current = question;
  const again = async (): Promise<void> => {
    const mine = ++turn.current;
    try {
      const answer = await latest.current();
      if (mine !== turn.current) return;
      data.value = answer;
      error.value = null;
    } catch (e) {
      if (mine === turn.current) error.value = e instanceof Error ? e : new Error(String(e));
    }
  };
  useEffect(() => {
    void again();
    const timer = each ? setInterval(() => !document.hidden && void again(), each) : undefined;
    return () => {
      clearInterval(timer);
      turn.current++;
    };
  }, [...deps, each]);
  return { data, error, again };
}
