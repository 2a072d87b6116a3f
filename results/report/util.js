'use strict';

// An element: el('td', {class: 'n'}, 'text', child, ...). Text is always set as text, never as HTML.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function svgEl(name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const trimmed = (value, decimals) => String(Number(value.toFixed(decimals)));
const digits = (value) => trimmed(value, Math.max(0, Math.min(2, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))));

function secondsText(s) {
  if (s === null || s === undefined) return '–';
  if (s === 0) return '0 s';
  const size = Math.abs(s);
  if (size < 1e-3) return digits(s * 1e6) + ' µs';
  if (size < 1) return digits(s * 1e3) + ' ms';
  if (size < 100) return s.toFixed(2) + ' s';
  if (size < 600) return s.toFixed(1) + ' s';
  return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}
const msText = (ms) => (ms === null || ms === undefined ? '–' : secondsText(ms / 1000));
const count = (n) => Number(n).toLocaleString('en-US');
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
const labelText = (labels) =>
  Object.entries(labels).map(([path, value]) => `${path.slice(path.lastIndexOf('.') + 1)}=${value}`).join(' ');
const pill = (outcome) => el('span', {class: 'pill ' + outcome}, outcome.toUpperCase());
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const tip = {
  node: null,
  show(text, x, y) {
    if (!this.node) document.body.append((this.node = el('div', {id: 'tip'})));
    this.node.textContent = text;
    this.node.style.display = 'block';
    const box = this.node.getBoundingClientRect();
    this.node.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 8)) + 'px';
    this.node.style.top = (y + 16 + box.height > innerHeight ? y - box.height - 8 : y + 16) + 'px';
  },
  hide() {
    if (this.node) this.node.style.display = 'none';
  },
};

function showError(error) {
  const text = error && error.message ? error.message : String(error);
  const box = document.getElementById('error') || document.body.insertBefore(el('p', {id: 'error'}), document.body.firstChild);
  box.textContent = 'This report could not be drawn completely: ' + text;
}
addEventListener('error', (event) => showError(event.error || event.message));
addEventListener('unhandledrejection', (event) => showError(event.reason));
