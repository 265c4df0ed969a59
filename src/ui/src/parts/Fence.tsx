import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { T } from "../lib/i18n";
import { Problem } from "./Problem";

/** What breaks in it stays in it: the rest of the page goes on. */
export function Fence({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary(e => console.error(e));
  if (error) return <Problem error={new Error(`${T().broken} ${error instanceof Error ? error.message : String(error)}`)} retry={reset} />;
  return <>{children}</>;
}
