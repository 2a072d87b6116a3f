// The lanes of a run over relays: relays and their sessions, mesh clients, tunnels and bridges; and
// what became of messages. They draw into the Timeline (timeline.js).

const spanText = (from, to, ended) => `${from.toFixed(3)} s to ${ended ? to.toFixed(3) + ' s' : 'the end'}, ${secondsText(to - from)}`;

const transportLanes = {
  // The first lanes of a group, those `worth` the most, and one that opens the rest. `total` counts those,
  // too, that the page does not carry.
  limited(group, all, limit, lane, worth, total = all.length) {
    const absent = total > all.length ? `${count(total - all.length)} are not on this page` : '';
    if (this.all.has(group) || all.length <= limit + 1)
      return [...all.map(lane), ...(absent ? [{kind: 'more', text: '… ' + absent, h: 17}] : [])];
    const kept = new Set([...all].sort((a, b) => worth(b) - worth(a)).slice(0, limit));
    const more = total - limit;
    return [...all.filter((one) => kept.has(one)).map(lane), {kind: 'more', text: `… ${count(more)} more`, h: 17,
      hint: `show ${plural(all.length - limit, 'more lane')}` + (absent ? `; ${absent}` : ''),
      click: () => { this.all.add(group); this.draw(); }}];
  },

  relayLanes() {
    const d = this.d, lanes = [];
    if (d.relays.length) lanes.push({kind: 'head', text: 'Relays and their sessions', h: 22});
    const one = (relay) => {
      const key = 'relay ' + relay.relay, open = this.open.has(key);
      const lane = {kind: 'relay', text: relay.relay, h: 18, relay, mark: relay.sessions.length ? (open ? '▾ ' : '▸ ') : '',
        click: relay.sessions.length ? () => this.toggle(key) : null};
      if (!open) return [lane];
      return [lane, ...this.limited(key, relay.sessions, few.lanes, (session) =>
        ({kind: 'session', text: session.identity, h: 15, session, relay}), (s) => s.up.filter(([, , ended]) => ended).length, relay.identities)];
    };
    return lanes.concat(this.limited('relays', d.relays, few.lanes, one, (r) => r.up).flat());
  },

  clientLanes(host) {
    const client = this.d.clients[host];
    if (!client) return [];
    const lane = (relay) => ({kind: 'client', text: relay ? 'client at ' + relay.relay : 'client', h: 17, client, relay, host});
    return client.relays.length ? client.relays.map(lane) : [lane(null)];
  },

  tunnelLanes() {
    const tunnels = this.d.tunnels;
    if (!tunnels.length) return [];
    const worth = (t) => t.lost.length + t.undecrypted.length + t.states.length + t.open[2];
    return [{kind: 'head', text: 'Tunnels and their bridges', h: 22}, ...this.limited('tunnels', tunnels, few.lanes,
      (tunnel) => ({kind: 'tunnel', text: `${tunnel.node} → ${tunnel.peer}`, note: tunnel.id.slice(0, 6), h: 17, tunnel}), worth, this.d.tunnelCount)];
  },

  draw_more() {},

  // A triangle where something was noticed to be gone.
  gone(group, lane, t, hint, cls) {
    if (t < this.range[0] || t > this.range[1]) return;
    const x = this.x(t), middle = lane.y + lane.h / 2;
    const mark = svgEl('path', {class: cls || 'gone', d: `M${x - 4} ${middle - 5}h8l-4 9z`});
    mark.dataset.tip = `${t.toFixed(3)} s: ${hint}`;
    group.append(mark);
  },

  cross(group, lane, t, hint) {
    if (t < this.range[0] || t > this.range[1]) return;
    const x = this.x(t), middle = lane.y + lane.h / 2, d = `M${x - 3} ${middle - 4}l6 7m0 -7l-6 7`;
    const mark = svgEl('path', {class: 'failure', d});
    mark.dataset.tip = `${t.toFixed(3)} s: ${hint}`;
    group.append(svgEl('path', {class: 'halo', d, 'pointer-events': 'none'}), mark);
  },

  draw_relay(group, lane) {
    const r = lane.relay;
    this.process(group, lane, r.relay);
    for (const [t, reason, who] of r.refused) this.cross(group, lane, t, `${r.relay} refuses ${who}\n${reason}`);
    this.bins(group, r.drops, lane.y + 13, () => 4, 'drop', (n) => `${r.relay} drops something, ${plural(n, 'time')}`);
    if (this.open.has('relay ' + r.relay)) return;
    for (const session of r.sessions) this.sessionEnds(group, lane, session, r);
  },

  draw_session(group, lane) {
    const who = lane.session.identity;
    for (const [from, to, ended, reason] of lane.session.up)
      this.span(group, from, to, lane.y + 4, 7, 'up', `${lane.relay.relay} has a session with ${who}\n` +
        spanText(from, to, ended) + (reason ? `\nended by ${reason}` : ''));
    this.sessionEnds(group, lane, lane.session, lane.relay);
  },

  sessionEnds(group, lane, session, relay) {
    for (const [, to, ended, reason] of session.up)
      if (ended) this.gone(group, lane, to, `the session of ${session.identity} at ${relay.relay} is over\n${reason}`);
  },

  draw_client(group, lane) {
    for (const [from, to, ended, reason] of lane.client.processes) {
      this.span(group, from, to, lane.y + 7, 3, 'alive', `the mesh client of ${lane.host}\n` + spanText(from, to, ended));
      if (ended) this.gone(group, lane, to, `the mesh client of ${lane.host} dies\n${reason}`);
    }
    if (!lane.relay) return;
    for (const [from, to, ended, reason] of lane.relay.up) {
      this.span(group, from, to, lane.y + 4, 9, 'up', `${lane.host} believes in its session with ${lane.relay.relay}\n` +
        spanText(from, to, ended) + (reason ? `\nended by ${reason}` : ''));
      if (ended && reason !== 'the client died') this.gone(group, lane, to, `${lane.host} notices that its session with ${lane.relay.relay} is lost\n${reason}`);
    }
    for (const [t, reason] of lane.relay.failures)
      this.cross(group, lane, t, `${lane.host} fails to get a session with ${lane.relay.relay}\n${reason}`);
  },

  draw_tunnel(group, lane) {
    const t = lane.tunnel, [from, to, ended, reason] = t.open, name = `${t.node} → ${t.peer}`;
    this.span(group, from, to, lane.y + 7, 3, 'alive', `the side of ${t.node} of its tunnel with ${t.peer}, ${t.id}\n` +
      spanText(from, to, ended) + (t.setup ? `\nset up in ${secondsText(t.setup)}, ${t.direction}` : ''));
    for (const [state, begin, end, why] of t.states)
      if (state !== 'stopped')
        this.span(group, begin, end, lane.y + 4, 9, state === 'running' ? 'up' : 'reconnecting',
          `bridge ${name} is ${state}\n${spanText(begin, end, true)}` + (why ? `\n${why}` : ''));
    this.bins(group, t.lost, lane.y + 1, () => 5, 'lost', (bytes) => `${count(bytes)} bytes of ${t.node} are lost in the tunnel`);
    for (const [bin, n] of t.undecrypted)
      this.cross(group, lane, this.binTime(bin), `${t.node} cannot decrypt ${plural(n, 'tunnel message')} of ${t.peer}`);
    if (ended) this.gone(group, lane, to, `${t.node} closes its tunnel with ${t.peer}\n${reason}`);
  },

  binTime(bin) { return ((bin + 0.5) / this.d.bins) * this.full[1]; },

  // A bar for each bin that is not empty; its height by `height(n)`, growing downwards from y.
  bins(group, list, y, height, cls, hint) {
    const width = this.full[1] / this.d.bins;
    for (const [bin, n] of list) {
      const rect = this.span(group, bin * width, (bin + 1) * width, y, height(n), cls);
      if (rect && hint) rect.dataset.tip = hint(n);
    }
  },

  // Messages: how many were sent, and the part of them that is lost; above them, those that came late
  // or twice; behind them, the time in which none got through while the receiver was called up.
  draw_pair(group, lane) {
    const b = lane.book, bin = this.full[1] / this.d.bins, together = Math.max(1, Math.round(4 / (this.x(bin) - this.x(0))));
    const sums = (list) => list.reduce((all, [i, n]) => all.set(Math.floor(i / together), (all.get(Math.floor(i / together)) || 0) + n), new Map());
    const traffic = sums(b.traffic), lost = sums(b.lostAt), most = Math.max(1, ...traffic.values()), width = bin * together;
    const ground = lane.y + lane.h - 2, room = lane.h - 11, paths = {message: '', lost: ''};
    for (const [from, to, messages, end] of b.wedges)
      this.span(group, from, to, lane.y + 1, lane.h - 2, 'wedge',
        `${plural(messages, 'message')} from ${b.from} to ${b.to} lost while ${b.from} called ${b.to} up\n` +
        `${spanText(from, to, true)}: ${end}`);
    for (const [i, n] of traffic) {
      const from = i * width, to = from + width;
      if (to < this.range[0] || from > this.range[1]) continue;
      const gone = lost.get(i) || 0, x = this.x(from), wide = Math.max(0.8, this.x(to) - x - 0.3).toFixed(1);
      const low = gone ? Math.max(4, (gone / most) * room + 2) : 0, high = Math.max(low, 2 + (n / most) * room);
      const bar = (bottom, top) => `M${x.toFixed(1)} ${(ground - bottom).toFixed(1)}h${wide}V${(ground - top).toFixed(1)}H${x.toFixed(1)}z`;
      if (gone) paths.lost += bar(0, low);
      if (high > low && n > gone) paths.message += bar(low, high);
    }
    for (const cls of ['message', 'lost'])
      if (paths[cls]) group.append(svgEl('path', {class: cls, d: paths[cls], 'pointer-events': 'none'}));
    const mark = (list, cls, shape, what) => {
      for (const [i, n] of list) {
        const t = this.binTime(i);
        if (t < this.range[0] || t > this.range[1]) continue;
        const node = svgEl('path', {class: cls, d: shape(this.x(t), lane.y + 5)});
        node.dataset.tip = `about ${t.toFixed(1)} s: ${plural(n, 'message')} from ${b.from} to ${b.to} ${what}`;
        group.append(node);
      }
    };
    mark(b.duplicatedAt, 'twice', (x, y) => `M${x - 4} ${y - 3}h3v6h-3zM${x + 1} ${y - 3}h3v6h-3z`, 'came twice');
    mark(b.lateAt, 'late', (x, y) => `M${x} ${y - 4}l4 4l-4 4l-4 -4z`, 'came late');
    this.failedCalls(group, lane);
  },

  // Over the time a node calls a peer up: where its messages to it get lost meanwhile.
  wedgedWhileUp(group, lane, observer, peer) {
    const spans = this.d.ledger.filter((b) => b.from === observer && (!peer || b.to === peer))
      .flatMap((b) => b.wedges.map(([from, to, n]) => ({from, to, n, peers: [b.to]}))).sort((a, b) => a.from - b.from);
    const merged = [];
    for (const span of spans) {
      const last = merged[merged.length - 1];
      if (!last || span.from > last.to) merged.push(span);
      else Object.assign(last, {to: Math.max(last.to, span.to), n: last.n + span.n, peers: [...last.peers, ...span.peers]});
    }
    for (const {from, to, n, peers} of merged) {
      const who = new Set(peers).size > 3 ? plural(new Set(peers).size, 'peer') : [...new Set(peers)].join(', ');
      this.span(group, from, to, lane.y + 4, 9, 'up-in-vain',
        `${observer} calls ${who} up, and ${plural(n, 'message')} to it ${n === 1 ? 'is' : 'are'} lost\n${spanText(from, to, true)}`);
    }
  },
};
Object.assign(Timeline.prototype, transportLanes);
