import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { GraphProps } from "./Graph";

let loaded: ComponentType<GraphProps> | null = null;

/** The graph, whose code is loaded when the first one is looked at. */
export function Graph(props: GraphProps) {
  const here = useSignal(loaded !== null);
  useEffect(() => {
    if (!loaded)
      void import("./Graph").then(m => {
        loaded = m.Graph;
        here.value = true;
      });
  }, []);
  const Loaded = loaded;
  return here.value && Loaded ? <Loaded {...props} /> : <div class="graph" />;
}
