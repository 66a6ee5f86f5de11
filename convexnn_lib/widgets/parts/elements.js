// @ts-check
// Elements of the page, and motion.

/** @typedef {Readonly<Record<string, string | number | null>>} Attributes */

const SVG = "http://www.w3.org/2000/svg";

// An SVG element; attributes with the value null are left out.
/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {Element | null} parent
 */
export function svg(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  setAttributes(element, attributes);
  parent?.append(element);
  return element;
}
/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {Element | null} parent
 * @param {string | null} text
 */
export function html(name, attributes = {}, parent = null, text = null) {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  if (text !== null) element.textContent = text;
  parent?.append(element);
  return element;
}
/** @type {(element: Element, attributes: Attributes) => void} */
function setAttributes(element, attributes) {
  for (const [key, value] of Object.entries(attributes))
    if (value !== null) element.setAttribute(key, String(value));
}

// Mathematics in a line of text: Latin letters are set in italics, _ and ^ (followed
// by a character or a group in braces) lower and raise. Works inside SVG and HTML.
/**
 * @template {Element} E
 * @param {E} element
 * @param {string} source
 */
export function typeset(element, source) {
  element.replaceChildren();
  const inSvg = element.namespaceURI === SVG;
  const pieces = source.matchAll(/([_^])(?:\{([^}]*)\}|(.))|([A-Za-z])(?![A-Za-z])|([A-Za-z]+|.)/gu);
  let shift = 0;
  for (const [, mark, group, single, letter, other] of pieces) {
    const text = group ?? single ?? letter ?? other;
    if (!inSvg) {
      const name = mark === "_" ? "sub" : mark === "^" ? "sup" : letter ? "i" : "span";
      html(name, {}, element, text);
      continue;
    }
    const piece = svg("tspan", {}, element);
    piece.textContent = text;
    const level = mark === "_" ? 0.28 : mark === "^" ? -0.38 : 0;
    if (level !== shift) piece.setAttribute("dy", `${(level - shift).toFixed(2)}em`);
    if (mark) piece.setAttribute("font-size", "0.75em");
    if (letter) piece.setAttribute("font-style", "italic");
    // dy counts in the piece's own font size
    if (mark && level !== shift) piece.setAttribute("dy", `${(level - shift) / 0.75}em`);
    shift = level;
  }
  return element;
}

const prefersReducedMotion = () =>
  window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// Call update(share) with shares from 0 to 1 over a time in milliseconds; at once with
// 1 if the reader wants no motion. Returns a function that stops it.
/** @type {(update: (share: number) => void, duration: number) => () => void} */
export function animate(update, duration) {
  if (prefersReducedMotion()) {
    update(1);
    return () => {};
  }
  /** @type {number | null} */
  let start = null;
  let request = requestAnimationFrame(function step(now) {
    start ??= now;
    const share = Math.min((now - start) / duration, 1);
    update(share);
    if (share < 1) request = requestAnimationFrame(step);
  });
  return () => cancelAnimationFrame(request);
}
