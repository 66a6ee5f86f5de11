// @ts-check
// Words and numbers as readers see them.
/** @import { Pattern, Vector } from "./mathematics.js" */

// A number as text: fixed digits, a true minus sign, no negative zero.
/** @type {(value: number, digits?: number) => string} */
export function format(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}
// As short as possible: 1.25, 3, −0.5.
/** @type {(value: number, digits?: number) => string} */
export function short(value, digits = 3) {
  const text = format(value, digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
// One digit and a power of ten: 3·10⁻⁵.
/** @type {(value: number) => string} */
export function scientific(value) {
  const [digit, power] = value.toExponential(0).split("e");
  const raised = [...String(Number(power))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  return `${digit}·10${raised.join("")}`;
}
/** @type {(a: Vector, digits?: number) => string} */
export const vector = (a, digits = 2) => `(${a.map((v) => short(v, digits)).join(", ")})`;
/** @type {(pattern: Pattern) => string} */
export const bits = (pattern) => pattern.map((on) => (on ? "1" : "0")).join("");
/** @type {(count: number, one: string, many?: string) => string} */
export const plural = (count, one, many = `${one}s`) =>
  `${count} ${count === 1 ? one : many}`;
/** @type {(words: readonly string[]) => string} */
export const join = (words) =>
  words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
