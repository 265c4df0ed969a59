// Screens that are loaded when they are first looked at.
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Problem } from "../parts/Problem";

export type { ComponentType };

export function lazy(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | null = null;
  return function Lazy() {
    const here = useSignal(loaded !== null);
    const error = useSignal<Error | null>(null);
    const fetchIt = () => {
      error.value = null;
      load().then(
        c => {
          loaded = c;
          here.value = true;
        },
        e => {
          error.value = e instanceof Error ? e : new Error(String(e));
        },
      );
    };
    useEffect(() => {
      if (!loaded) fetchIt();
    }, []);
    const Loaded = loaded;
    return here.value && Loaded ? <Loaded /> : <Problem error={error.value} retry={fetchIt} />;
  };
}
