// What has just happened, with a way back: undo instead of "are you sure".
import { signal } from "@preact/signals";

export interface Toast {
  id: number;
  text: string;
  undo?: () => void;
  isError?: boolean;
}

export const toasts = signal<Toast[]>([]);
let next = 1;

export const dismiss = (id: number): void => {
  toasts.value = toasts.value.filter(t => t.id !== id);
};

export function toast(text: string, more: { undo?: () => void; isError?: boolean } = {}): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, text, ...more }];
  setTimeout(() => dismiss(id), more.undo || more.isError ? 12_000 : 5_000);
}
