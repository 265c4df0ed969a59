/** Four digits are enough to see how bad it is: "5.2e+01" is 52. */
export function shortValue(value: string): string {
  const n = Number(value);
  return value.trim() !== "" && Number.isFinite(n) && (value.length > 7 || /e/i.test(value)) ? String(Number(n.toPrecision(4))) : value;
}
