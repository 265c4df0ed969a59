import { Component, type ComponentType } from "preact";

const same = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => Object.is(x, b[i])));

/** Rendered anew only when one of its properties is another; lists are the same when what is in them is. Signals that it reads count all
 * the same. */
export function memo<P extends object>(Inner: ComponentType<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const [a, b] = [this.props as Record<string, unknown>, next as Record<string, unknown>];
      return [...new Set([...Object.keys(a), ...Object.keys(b)])].some(k => !same(a[k], b[k]));
    }
    override render(props: P) {
      return <Inner {...props} />;
    }
  };
}
