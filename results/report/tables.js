// Tables of verdicts, messages, detections and runs.

const cell = (value, cls) => el('td', {class: cls || null}, value);
const number = (value, bad) => cell(count(value), bad && value > 0 ? 'n bad' : 'n');
const row = (heads) => el('thead', {}, el('tr', {}, heads.map(([text, cls]) => el('th', {class: cls || null}, text))));

function section(id, title, ...content) {
  return el('section', {class: 'card', id}, title ? el('h2', {}, title) : null, ...content);
}

function verdictsTable(verdicts) {
  if (!verdicts.length) return section('verdicts', 'Verdicts', el('p', {class: 'empty'}, 'This scenario expects nothing.'));
  return section('verdicts', 'Verdicts', el('table', {},
    row([[''], ['Expected'], ['Seen'], ['Where']]),
    el('tbody', {}, verdicts.map((v) => el('tr', {class: 'verdict', 'data-outcome': v.outcome}, cell(pill(v.outcome)),
      cell(v.text), cell(v.why), el('td', {class: 'where mono'}, v.where))))));
}

function ledgerTable(detail) {
  if (!detail.ledger.length) return null;
  const wedges = detail.ledger.flatMap((b) => b.wedges.map((w) => [b, ...w]));
  return section('ledger', 'Messages, end to end', el('div', {class: 'scroll'}, el('table', {},
    row([['From'], ['To'], ['Sent', 'n'], ['Delivered', 'n'], ['In flight', 'n'], ['Lost', 'n'], ['Duplicated', 'n'],
      ['Reordered', 'n'], ['Late', 'n'], ['p50', 'n'], ['p99', 'n'], ['Wedged while up', 'n']]),
    el('tbody', {}, detail.ledger.map((b) => el('tr', {},
      cell(b.from), cell(b.to), number(b.sent), number(b.delivered), number(b.inFlight), number(b.lost, true),
      number(b.duplicated, true), number(b.reordered, true), number(b.late, true),
      cell(b.latency ? msText(b.latency.p50) : '–', 'n'), cell(b.latency ? msText(b.latency.p99) : '–', 'n'),
      cell(b.wedges.length ? secondsText(b.wedges.reduce((s, w) => s + w[1] - w[0], 0)) : '–',
        b.wedges.length ? 'n bad' : 'n')))))),
    wedges.length ? el('p', {class: 'notes'}, 'Wedged: ' + wedges.slice(0, 12).map(([b, from, to, n, end]) =>
      `${b.from} → ${b.to} from ${from.toFixed(2)} s to ${to.toFixed(2)} s (${plural(n, 'message')}; ${end})`).join('; ') +
      (wedges.length > 12 ? `; and ${wedges.length - 12} more` : '') + '.') : null);
}

// Arrows as arrows; a number stays with its unit.
const typeset = (text) => text.replace(/->/g, ' → ').replace(/(\d) (s|ms|us|ns|min)\b/g, '$1\u00a0$2');

// What happened, in words (narrative.h).
function storySection(detail) {
  if (!detail.stories.length) return null;
  return section('story', 'What happened', detail.stories.map((story) => [el('h3', {class: 'story'}, typeset(story.what)),
    el('ul', {}, story.sentences.map((sentence) => el('li', {class: 'sentence'}, typeset(sentence))))]).flat());
}

const bytesText = (n) => (n === null ? '–' : n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1048576).toFixed(1)} MiB`);
const counts = (pairs) => pairs.map(([what, n]) => `${count(n)} ${what || 'without a reason'}`).join(', ') || '–';

function relaysTable(detail) {
  if (!detail.relays.length) return null;
  const tally = (list) => Object.entries(list.reduce((sum, [, reason]) => ({...sum, [reason]: (sum[reason] || 0) + 1}), {}));
  const refusedOf = (r) => Object.values(r.strangers).reduce((sum, n) => sum + n, r.refusedCount);
  return section('relays', 'Relays', el('div', {class: 'scroll'}, el('table', {},
    row([['Relay'], ['Identities', 'n'], ['Sessions', 'n'], ['of them over'], ['Refused', 'n'], [''], ['Dropped']]),
    el('tbody', {}, detail.relays.map((r) => el('tr', {class: 'relay'}, cell(r.relay), number(r.identities), number(r.up),
      cell(counts(Object.entries(r.ends))), number(refusedOf(r)),
      cell(refusedOf(r) ? counts([...tally(r.refused), ...Object.entries(r.strangers)]) : ''),
      cell(r.dropped.map(([reason, events, messages, bytes]) => messages ?
        `${plural(messages, 'message')}, ${bytesText(bytes)} (${reason})` : `${count(events)} ${reason}`).join('; ') || '–')))))));
}

// Bytes that a tunnel took and counted as sent against those that came out at its other end.
function tunnelsTable(detail) {
  if (!detail.tunnels.length) return null;
  const more = detail.tunnelCount - detail.tunnels.length;
  return section('tunnels', 'Tunnels, byte for byte', el('div', {class: 'scroll'}, el('table', {},
    row([['From'], ['To'], ['Tunnel'], ['Opened', 'n'], ['Accepted', 'n'], ['Counted as sent', 'n'], ['Delivered', 'n'], ['Lost', 'n'],
      ['What its bridge did']]),
    el('tbody', {}, detail.tunnels.map((t) => el('tr', {class: 'tunnel'}, cell(t.node), cell(t.peer),
      el('td', {class: 'mono', title: t.id}, t.id.slice(0, 8)), cell(secondsText(t.open[0]), 'n'),
      cell(bytesText(t.accepted), 'n'), cell(bytesText(t.counted), 'n'), cell(bytesText(t.delivered), 'n'),
      cell(bytesText(t.missing), t.missing > 0 ? 'n bad' : 'n'), cell(t.history)))))),
    el('p', {class: 'notes'}, 'Accepted and counted are those of the sending side, delivered is what the other side gave to its node. ' +
      'A side without counters shows a dash.' + (more > 0 ? ` And ${count(more)} more sides.` : '')));
}

// What BEAMs evaluated, and what held up their schedulers.
function evaluationsTable(detail) {
  const stalls = detail.stalls.map(([node, n, longest]) => `${node} ${plural(n, 'time')}, ${secondsText(longest)} at most`).join('; ');
  if (!detail.evaluations.length && !stalls) return null;
  return section('evaluations', 'Evaluated by BEAMs', detail.evaluations.length ? el('div', {class: 'scroll'}, el('table', {},
    row([['At', 'n'], ['Node'], ['Took', 'n'], ['Result'], ['Value']]),
    el('tbody', {}, detail.evaluations.map(([t, node, took, result, value]) => el('tr', {class: 'evaluation'},
      cell(t.toFixed(3) + ' s', 'n'), cell(node), cell(secondsText(took), 'n'), cell(result, result === 'ok' ? '' : 'bad'),
      el('td', {class: 'mono'}, value)))))) : null,
    stalls ? el('p', {class: 'notes'}, `Schedulers held up: ${stalls}.`) : null);
}

function detectionsTable(detections) {
  if (!detections.length) return null;
  return section('detections', 'Nodes seen to go down', el('div', {class: 'scroll'}, el('table', {},
    row([['At', 'n'], ['Node'], ['sees'], ['Reason'], ['After the fault', 'n'], ['Fault']]),
    el('tbody', {}, detections.map((d) => el('tr', {}, cell(d.t.toFixed(3) + ' s', 'n'), cell(d.observer), cell(d.peer),
      cell(d.reason), cell(d.after === null ? '–' : secondsText(d.after), 'n'), cell(d.fault)))))));
}

function logTable(detail) {
  if (!detail.log.length) return null;
  return el('details', {class: 'card', id: 'log'}, el('summary', {}, `What the nodes logged (${detail.log.length})`),
    el('div', {class: 'scroll'}, el('table', {}, row([['At', 'n'], ['Node'], ['Level'], ['Text']]),
      el('tbody', {}, detail.log.map(([t, host, level, text]) => el('tr', {}, cell(t.toFixed(3) + ' s', 'n'), cell(host),
        cell(level, level === 'error' ? 'bad' : ''), el('td', {class: 'mono'}, text)))))));
}

function factsSection(detail) {
  const events = Object.entries(detail.events).map(([kind, n]) => `${kind} ${count(n)}`).join(', ');
  const facts = Object.entries({...detail.facts, events}).filter(([, value]) => value !== '');
  return el('details', {class: 'card', id: 'facts'}, el('summary', {}, 'How to reproduce this run'),
    el('dl', {}, facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {class: 'mono'}, value)])),
    el('pre', {}, detail.scenarioText));
}

// The table of a family; clicking a head sorts, clicking a run shows it.
function runsTable(runs, labelKeys, hasDetail, pick) {
  const any = (value) => runs.some((r) => value(r));
  const columns = [
    ['Run', 'n', (r) => r.id, (r) => String(r.id)],
    ['Seed', 'n', (r) => Number(r.seed), (r) => r.seed],
    ...labelKeys.map((key) => [key.slice(key.lastIndexOf('.') + 1), '', (r) => runs.findIndex((o) => o.labels[key] === r.labels[key]), (r) => r.labels[key] || '']),
    ['Outcome', '', (r) => ['fail', 'unknown', 'pass'].indexOf(r.outcome), (r) => pill(r.outcome)],
    any((r) => firstAfter(r) !== null) && ['Detected after', 'n', (r) => firstAfter(r) ?? Infinity, (r) => secondsText(firstAfter(r))],
    any((r) => r.calls) && ['Calls', 'n', (r) => r.calls, (r) => count(r.calls)],
    any((r) => r.calls) && ['failed', 'n', (r) => r.failedCalls, (r) => count(r.failedCalls)],
    any((r) => r.latency) && ['p50', 'n', (r) => (r.latency ? r.latency.p50 : Infinity), (r) => msText(r.latency && r.latency.p50)],
    any((r) => r.latency) && ['p99', 'n', (r) => (r.latency ? r.latency.p99 : Infinity), (r) => msText(r.latency && r.latency.p99)],
    any((r) => r.sent) && ['Lost', 'n', (r) => r.lost, (r) => count(r.lost)],
    any((r) => r.sent) && ['Wedged', 'n', (r) => r.wedged, (r) => (r.wedged ? secondsText(r.wedged) : '–')],
  ].filter(Boolean);  // what no run has is no column
  const body = el('tbody');
  let sorted = [...runs], by = 0, down = false;
  const fill = () => body.replaceChildren(...sorted.map((r) => el('tr',
    {class: 'run' + (hasDetail(r) ? ' pick' : ''), 'data-run': r.id, onclick: hasDetail(r) ? () => pick(r.id) : null},
    columns.map(([, cls, , text]) => cell(text(r), cls)))));
  const sort = (i) => {
    down = by === i && !down;
    by = i;
    sorted.sort((a, b) => { const x = columns[i][2](a), y = columns[i][2](b); return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1); });
    fill();
  };
  fill();
  const shown = runs.filter(hasDetail).length;
  return section('runs', 'Runs', el('div', {class: 'scroll'}, el('table', {}, el('thead', {}, el('tr', {},
    columns.map(([name, cls], i) => el('th', {class: 'sortable ' + cls, onclick: () => sort(i)}, name)))), body)),
    el('p', {class: 'notes'}, shown < runs.length ?
      `Timeline and charts below are kept for ${shown} of ${runs.length} runs (failed ones first); click one of them.` :
      'Click a run to see its timeline and charts below.'));
}

const firstAfter = (run) => {
  const first = run.detections.find((d) => d.after !== null);
  return first ? first.after : null;
};
