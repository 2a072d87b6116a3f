// The timeline: faults, a lane per node with a line per peer, and a lane per pair that talks; lanes.js
// has those of relays and tunnels, and how messages are drawn.

const few = {hosts: 8, nodes: 12, pairs: 12, lanes: 12};  // up to here everything is open from the start

class Timeline {
  constructor(detail, onZoom) {
    this.d = detail;
    this.onZoom = onZoom;
    this.full = [0, Math.max(detail.end, 1e-6)];
    this.range = this.full;
    this.open = new Set(detail.hosts.length <= few.hosts ? detail.hosts : []);
    for (const relay of detail.relays) if (relay.sessions.length <= few.lanes) this.open.add('relay ' + relay.relay);
    this.all = new Set();  // groups shown in full
    this.gutter = 190;
    this.box = el('div', {class: 'timeline'});
    this.box.addEventListener('wheel', (event) => this.wheel(event), {passive: false});
    new ResizeObserver(() => {
      if (this.box.clientWidth !== this.drawnWidth) requestAnimationFrame(() => this.draw());
    }).observe(this.box);
  }

  element() {
    const button = (text, title, fn) => el('button', {type: 'button', title, onclick: fn}, text);
    return el('section', {class: 'card', id: 'timeline'},
      el('div', {class: 'bar'},
        el('h2', {}, 'Timeline'),
        el('span', {class: 'muted'}, 'drag to zoom, double-click for the whole run ',
          button('+', 'zoom in', () => this.scale(0.5)), ' ', button('–', 'zoom out', () => this.scale(2)), ' ',
          button('all', 'show the whole run', () => this.zoom(this.full)))),
      this.box, this.legend());
  }

  legend() {
    const d = this.d, any = (key) => d.ledger.some((b) => b[key].length > 0);
    const item = (cls, text) => el('span', {}, el('i', {class: 'swatch-' + cls}), text);
    return el('div', {class: 'legend'},
      item('up', d.tunnels.length ? 'believed to be up (notches: ticks written)' : 'held to be up (notches: ticks written)'),
      any('wedges') ? item('in-vain', 'called up while messages are lost') : null,
      d.tunnels.some((t) => t.states.some(([state]) => state === 'reconnecting')) ? item('reconnecting', 'bridge reconnecting') : null,
      item('fail', 'node down, failed call'), d.relays.length ? item('gone', 'session, client or tunnel over') : null,
      item('fault', 'fault'), item('down', 'process down'), item('frozen', 'process frozen'), item('message', 'messages sent'),
      any('lostAt') ? item('lost', 'lost') : null, any('duplicatedAt') ? item('twice', 'came twice') : null,
      any('lateAt') ? item('late', 'came late') : null, item('failure', 'refused, failed, not decrypted'));
  }

  toggle(key) {
    this.open.has(key) ? this.open.delete(key) : this.open.add(key);
    this.draw();
  }

  zoom(range) {
    const least = (this.full[1] - this.full[0]) / 1e5;
    const from = Math.max(this.full[0], range[0]), to = Math.min(this.full[1], range[1]);
    this.range = to - from < least ? [from, Math.min(this.full[1], from + least)] : [from, to];
    this.draw();
    this.onZoom(this.range);
  }

  scale(factor, around) {
    const [a, b] = this.range, middle = around === undefined ? (a + b) / 2 : around;
    this.zoom([middle - (middle - a) * factor, middle + (b - middle) * factor]);
  }

  wheel(event) {
    if (!event.ctrlKey) return;  // plain scrolling stays scrolling
    event.preventDefault();
    this.scale(event.deltaY > 0 ? 1.25 : 0.8, this.timeAt(event.clientX));
  }

  timeAt(clientX) {
    const x = clientX - this.svg.getBoundingClientRect().left - this.gutter;
    return this.range[0] + (x / this.plot) * (this.range[1] - this.range[0]);
  }

  x(t) { return this.gutter + ((t - this.range[0]) / (this.range[1] - this.range[0])) * this.plot; }

  lanes() {
    const lanes = [], d = this.d;
    const targets = [...new Set(d.faults.map((f) => f.target))];
    if (targets.length) lanes.push({kind: 'head', text: 'Faults', h: 20});
    for (const target of targets) lanes.push({kind: 'fault', text: target, h: 20, target});
    lanes.push(...this.relayLanes(), {kind: 'head', text: 'Nodes', h: 22});
    lanes.push(...this.limited('nodes', d.hosts, few.nodes, (host) => this.nodeLanes(host), (host) => this.worth(host)).flat());
    lanes.push(...this.tunnelLanes());
    const talking = d.ledger.filter((b) => b.traffic.length > 0);
    if (talking.length)
      lanes.push({kind: 'head', text: 'Messages', h: 22}, ...this.limited('pairs', talking, few.pairs,
        (book) => ({kind: 'pair', text: `${book.from} → ${book.to}`, h: 30, book}), (b) => b.lost + b.wedges.length));
    return lanes;
  }

  nodeLanes(host) {
    const inner = [...this.clientLanes(host), ...this.d.peers.filter((p) => p.observer === host).map((peer) =>
      ({kind: 'peer', text: 'sees ' + peer.peer, h: 17, peer}))];
    const open = this.open.has(host);
    return [{kind: 'node', text: host, h: 18, host, mark: inner.length ? (open ? '▾ ' : '▸ ') : '',
      click: inner.length ? () => this.toggle(host) : null}, ...(open ? inner : [])];
  }

  // How much a node has to show: how often it saw another go down, and what was done to it.
  worth(host) {
    return this.d.peers.reduce((n, p) => n + (p.observer === host ? p.up.filter(([, , down]) => down).length + p.failures.length : 0), 0) +
      10 * this.d.faults.filter((f) => f.target === host).length;
  }

  draw() {
    this.drawnWidth = this.box.clientWidth;
    const width = Math.max(480, this.drawnWidth || 1000);
    this.plot = width - this.gutter - 12;
    const lanes = this.lanes(), top = 24;
    const height = top + lanes.reduce((sum, lane) => sum + lane.h, 0) + 6;
    const svg = svgEl('svg', {width, height, role: 'img', 'aria-label': 'timeline of the run'});
    const clip = svgEl('clipPath', {id: 'plot'});
    clip.append(svgEl('rect', {x: this.gutter, y: 0, width: this.plot, height}));
    const stripes = svgEl('pattern', {id: 'stripes', width: 7, height: 7, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'});
    stripes.append(svgEl('rect', {class: 'stripe', width: 4, height: 7}));
    svg.append(clip, stripes);
    this.axis(svg, height);
    const plot = svgEl('g', {'clip-path': 'url(#plot)'});
    for (const fault of this.d.faults) this.span(plot, fault.from, fault.to, top - 4, height - top, 'band');
    let y = top;
    for (const lane of lanes) {
      lane.y = y;
      const group = svgEl('g', {class: `lane lane-${lane.kind}`, 'data-lane': lane.text});
      this.label(svg, lane);
      this['draw_' + lane.kind](group, lane);
      plot.append(group);
      y += lane.h;
    }
    svg.append(plot);
    this.cursor = svgEl('line', {class: 'cursor', y1: 16, y2: height, visibility: 'hidden'});
    this.selection = svgEl('rect', {class: 'selection', y: 0, height, visibility: 'hidden'});
    svg.append(this.selection, this.cursor);
    this.listen(svg, lanes);
    this.svg = svg;
    this.box.replaceChildren(svg);
  }

  axis(svg, height) {
    const group = svgEl('g', {class: 'axis'});
    const span = this.range[1] - this.range[0];
    const rough = span / Math.max(2, this.plot / 90), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
    const decimals = Math.max(0, -Math.floor(Math.log10(step)));
    for (let i = Math.ceil(this.range[0] / step - 1e-9); i * step <= this.range[1] + step * 1e-9; ++i) {
      const x = this.x(i * step);
      group.append(svgEl('line', {class: 'grid', x1: x, x2: x, y1: 18, y2: height}),
        svgEl('text', {x, y: 12, 'text-anchor': x > this.gutter + this.plot - 14 ? 'end' : 'middle'}, (i * step).toFixed(decimals) + ' s'));
    }
    svg.append(group);
  }

  label(svg, lane) {
    const indent = {head: 0, peer: 22, session: 22, client: 22, more: 22}[lane.kind] ?? 8;
    let text = (lane.mark || '') + lane.text;
    const note = lane.note ? lane.note.length * 5.6 + 8 : 0, room = Math.floor((this.gutter - indent - 8 - note) / 6.2);
    if (lane.kind !== 'head' && text.length > room) text = text.slice(0, room - 1) + '…';
    const sub = ['peer', 'session', 'client', 'more'].includes(lane.kind);
    const node = svgEl('text', {x: indent, y: lane.y + lane.h / 2 + 4, class: lane.kind === 'head' ? 'head' : sub ? 'sub' : ''}, text);
    node.append(svgEl('title', {}, lane.hint || lane.text));
    if (lane.click) {
      node.classList.add('toggle');
      node.addEventListener('click', lane.click);
    }
    if (lane.note)
      svg.append(svgEl('text', {x: this.gutter - 8, y: lane.y + lane.h / 2 + 4, class: 'sub', 'text-anchor': 'end'}, lane.note));
    svg.append(node);
    if (lane.kind !== 'head')
      svg.append(svgEl('line', {class: 'rule', x1: this.gutter, x2: this.gutter + this.plot,
        y1: lane.y + lane.h, y2: lane.y + lane.h}));
  }

  // A rectangle between two times, at least one and a half pixels wide; null when out of view.
  span(group, from, to, y, h, cls, hint) {
    if (to < this.range[0] || from > this.range[1]) return null;
    const x = this.x(Math.max(from, this.range[0])), end = this.x(Math.min(to, this.range[1]));
    const rect = svgEl('rect', {class: cls, x, y, width: Math.max(1.5, end - x), height: h, rx: h > 6 ? 2 : 0});
    if (hint) rect.dataset.tip = hint;
    group.append(rect);
    return rect;
  }

  draw_head() {}

  draw_fault(group, lane) {
    for (const f of this.d.faults.filter((fault) => fault.target === lane.target)) {
      const lasting = f.to > f.from;
      const until = lasting ? `${f.from.toFixed(3)} s to ${f.undone ? f.to.toFixed(3) + ' s' : 'the end'}, ${secondsText(f.to - f.from)}` :
        `at ${f.from.toFixed(3)} s`;
      const text = f.fault + (f.detail ? ' ' + f.detail : '');
      const rect = this.span(group, f.from, f.to, lane.y + 3, 14, 'fault', `${text}: ${f.target}\n${until}`);
      if (!rect) continue;
      const x = Number(rect.getAttribute('x')), width = Number(rect.getAttribute('width'));
      const fits = width > text.length * 6.5 + 8;  // else beside it
      group.append(svgEl('text', {x: fits ? x + 5 : x + width + 4, y: lane.y + 14, class: fits ? 'fault-text' : 'sub',
        'pointer-events': 'none'}, text));
    }
  }

  // The life of a node or relay.
  process(group, lane, host) {
    this.span(group, this.full[0], this.full[1], lane.y + 7, 4, 'alive');
    for (const [state, from, to] of this.d.processes[host] || [])
      this.span(group, from, to, lane.y + 3, 12, 'process-' + state, `${host} is ${state}\n${spanText(from, to, true)}`);
  }

  draw_node(group, lane) {
    this.process(group, lane, lane.host);
    if (this.open.has(lane.host)) return;
    this.wedgedWhileUp(group, lane, lane.host);
    for (const peer of this.d.peers.filter((p) => p.observer === lane.host)) this.marks(group, lane, peer);
  }

  draw_peer(group, lane) {
    const p = lane.peer;
    for (const [from, to, down, reason, direction, setup] of p.up)
      this.span(group, from, to, lane.y + 4, 9, 'up',
        `${p.observer} holds ${p.peer} to be up\n${from.toFixed(3)} s to ${down ? to.toFixed(3) + ' s' : 'the end'}, ` +
        `${secondsText(to - from)}\nset up in ${secondsText(setup)}${direction ? ', ' + direction : ''}` +
        (reason ? `\nended by ${reason}` : ''));
    this.wedgedWhileUp(group, lane, p.observer, p.peer);
    let path = '';
    for (const [bin] of p.ticks) {
      const x = this.x(this.binTime(bin));
      if (x >= this.gutter && x <= this.gutter + this.plot) path += `M${x.toFixed(1)} ${lane.y + 9}h1.2v4h-1.2z`;
    }
    if (path) group.append(svgEl('path', {class: 'tick', d: path, 'pointer-events': 'none'}));
    this.marks(group, lane, p);
  }

  // Where a node noticed that a peer is gone, and where it failed to connect.
  marks(group, lane, p) {
    const middle = lane.y + lane.h / 2;
    for (const [, to, down, reason] of p.up) {
      if (!down || to < this.range[0] || to > this.range[1]) continue;
      const x = this.x(to);
      const mark = svgEl('path', {class: 'node-down', d: `M${x - 5} ${middle - 6}h10l-5 11z`});
      mark.dataset.tip = `${to.toFixed(3)} s: ${p.observer} sees ${p.peer} down\n${reason}`;
      group.append(mark);
    }
    for (const [t, reason, elapsed] of p.failures) {
      if (t < this.range[0] || t > this.range[1]) continue;
      const x = this.x(t);
      const mark = svgEl('path', {class: 'failure', d: `M${x - 3} ${middle - 4}l6 7m0 -7l-6 7`});
      mark.dataset.tip = `${t.toFixed(3)} s: ${p.observer} fails to connect to ${p.peer}\n${reason} after ${secondsText(elapsed)}`;
      group.append(mark);
    }
  }

  failedCalls(group, lane) {
    const c = this.d.calls, from = c.hosts.indexOf(lane.book.from), to = c.hosts.indexOf(lane.book.to);
    for (let i = 0; i < c.t.length; ++i) {
      if (c.from[i] !== from || c.to[i] !== to || c.results[c.result[i]] === 'ok') continue;
      const t = c.t[i] + c.ms[i] / 1000;
      if (t < this.range[0] || t > this.range[1]) continue;
      const dot = svgEl('circle', {class: 'call-failed', cx: this.x(t), cy: lane.y + 5, r: 2.6});
      dot.dataset.tip = `${t.toFixed(3)} s: call ${c.results[c.result[i]]} after ${msText(c.ms[i])}`;
      group.append(dot);
    }
  }

  laneTip(lane, t) {
    const bin = Math.min(this.d.bins - 1, Math.floor((t / this.full[1]) * this.d.bins));
    const at = (list) => (list.find(([b]) => b === bin) || [0, 0])[1];
    if (lane.kind === 'pair')
      return `${lane.text}\n${plural(at(lane.book.traffic), 'message')} about here, ${count(at(lane.book.lostAt))} of them lost`;
    if (lane.kind === 'tunnel') return `${lane.text}, tunnel ${lane.tunnel.id}`;
    if (lane.kind === 'more') return lane.hint;
    if (lane.kind === 'peer') return `${lane.peer.observer} sees ${lane.peer.peer} as down`;
    return lane.text;
  }

  listen(svg, lanes) {
    let start = null;
    const clamp = (t) => Math.max(this.range[0], Math.min(this.range[1], t));
    svg.addEventListener('mousemove', (event) => {
      const t = this.timeAt(event.clientX);
      if (t < this.range[0] || t > this.range[1]) { if (start === null) this.leave(); return; }
      const x = this.x(t), y = event.clientY - svg.getBoundingClientRect().top;
      this.cursor.setAttribute('x1', x); this.cursor.setAttribute('x2', x);
      this.cursor.setAttribute('visibility', 'visible');
      const lane = lanes.find((l) => y >= l.y && y < l.y + l.h);
      const text = event.target.dataset.tip || (lane && lane.kind !== 'head' ? this.laneTip(lane, t) : '');
      tip.show(`${t.toFixed(3)} s${text ? '\n' + text : ''}`, event.clientX, event.clientY);
      if (start !== null) {
        this.selection.setAttribute('x', this.x(Math.min(start, t)));
        this.selection.setAttribute('width', Math.abs(this.x(t) - this.x(start)));
        this.selection.setAttribute('visibility', 'visible');
      }
    });
    svg.addEventListener('mouseleave', () => { start = null; this.leave(); });
    svg.addEventListener('mousedown', (event) => {
      const t = this.timeAt(event.clientX);
      start = t >= this.range[0] && event.button === 0 ? t : null;
    });
    svg.addEventListener('mouseup', (event) => {
      if (start === null) return;
      const end = clamp(this.timeAt(event.clientX)), from = start;
      start = null;
      if (Math.abs(this.x(end) - this.x(from)) > 5) this.zoom([Math.min(from, end), Math.max(from, end)]);
    });
    svg.addEventListener('dblclick', () => this.zoom(this.full));
  }

  leave() {
    tip.hide();
    this.cursor.setAttribute('visibility', 'hidden');
    this.selection.setAttribute('visibility', 'hidden');
  }
}
