// What is far from what is seen is not rendered: of thousands of rows a few dozen are elements.
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const watched = new WeakMap<Element, (isNear: boolean) => void>();
const observer =
  typeof IntersectionObserver === "function"
    ? new IntersectionObserver(
        entries => {
          for (const e of entries) watched.get(e.target)?.(e.isIntersecting);
        },
        { rootMargin: "1200px 0px" },
      )
    : null;

/** Whether the element is near what is seen. One that leaves keeps its height; one that has the focus does not leave. */
export function useNear<E extends HTMLElement>(atFirst: boolean): { ref: RefObject<E | null>; near: Signal<boolean> } {
  const ref = useRef<E>(null);
  const near = useSignal(atFirst || observer === null);
  useLayoutEffect(() => {
    const e = ref.current;
    if (!e || !observer) return;
    watched.set(e, isNear => {
      if (isNear === near.value || (!isNear && e.contains(document.activeElement))) return;
      e.style.minHeight = isNear ? "" : `${e.offsetHeight}px`;
      near.value = isNear;
    });
    observer.observe(e);
    return () => observer.unobserve(e);
  }, []);
  return { ref, near };
}
