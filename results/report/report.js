// Puts the page together.

const report = JSON.parse(document.getElementById('data').textContent);
const detailOf = (id) => report.details.find((d) => d.id === id);

function figure(name, value, note, bad) {
  return el('div', {class: 'figure' + (bad ? ' bad' : '')}, el('div', {class: 'name'}, name),
    el('div', {class: 'value'}, value), el('div', {class: 'note'}, note));
}

function runFigures(run, detail) {
  const latency = run.latency;
  return el('div', {class: 'figures'},
    figure('Expectations', `${run.verdicts - run.failed} of ${run.verdicts}`, 'not failed', run.failed > 0),
    figure('Calls', run.calls ? count(run.calls) : '–', run.calls ? `${count(run.failedCalls)} failed` : 'none was made'),
    figure('Call latency p50', msText(latency && latency.p50), latency ? `p99 ${msText(latency.p99)}, max ${msText(latency.max)}` : 'no call got an answer'),
    figure('Messages lost', run.sent ? count(run.lost) : '–', run.sent ? `of ${count(run.sent)} sent` : 'none was sent', run.lost > 0),
    figure('Seen down', count(run.detections.length), firstAfter(run) === null ? 'nodes, by any other' : `first ${secondsText(firstAfter(run))} after a fault`),
    paceFigure(run, detail));
}

// How fast virtual time passed, or how late real time was.
function paceFigure(run, detail) {
  if (run.ground === 'sim') return figure('Simulated', secondsText(detail.end), run.wall ? `in ${secondsText(run.wall)}` : '');
  const late = [['packets late', run.late], ['woken late', run.wokenLate]].filter(([, l]) => l).map(([what, l]) => `${what} p99 ${msText(l.p99)}`);
  return figure('Ran for', secondsText(detail.end), late.join(', ') || 'in real time');
}

function header() {
  const runs = report.runs, one = runs.length === 1 ? runs[0] : null;
  const passed = runs.filter((r) => r.outcome === 'pass').length;
  const sub = one ? `${one.ground} · seed ${one.seed}${labelText(one.labels) ? ' · ' + labelText(one.labels) : ''} · run ${one.id} · ${one.status}` :
    `${[...new Set(runs.map((r) => r.ground))].join(', ')} · ${plural(runs.length, 'run')} · ${passed} passed, ` +
    `${runs.filter((r) => r.outcome === 'fail').length} failed, ${runs.filter((r) => r.outcome === 'unknown').length} unknown`;
  return el('header', {}, el('div', {class: 'top'}, el('h1', {}, runs.length ? runs[0].scenario : 'No runs'), pill(report.outcome)),
    el('p', {class: 'sub'}, sub), report.command ? el('p', {class: 'sub mono'}, report.command) : null);
}

// ---- one run ----

function runPart(run, detail) {
  let latencyView = null;
  const timeline = new Timeline(detail, (range) => { if (latencyView) latencyView.signal('shown', range).runAsync(); });
  charts.pending.push(() => timeline.draw());
  const parts = [runFigures(run, detail)];
  if (detail.error) parts.push(el('p', {class: 'card bad'}, detail.error));
  parts.push(verdictsTable(detail.verdicts), storySection(detail), timeline.element());
  if (detail.calls.t.length) {
    const time = chart('latency-over-time', () => latencyOverTime(detail));
    const last = charts.pending.length - 1, draw = charts.pending[last];
    charts.pending[last] = () => draw().then((view) => (latencyView = view));
    parts.push(el('div', {class: 'columns'}, section('', 'Call latency over time', time),
      section('', 'Distribution of call latency', detail.ecdf.length ?
        chart('latency-distribution', () => latencyDistribution(detail, run.latency)) :
        el('p', {class: 'empty'}, 'No call got an answer.'))));
  }
  parts.push(ledgerTable(detail), tunnelsTable(detail), relaysTable(detail), evaluationsTable(detail), detectionsTable(run.detections));
  if (detail.notes.length) parts.push(el('p', {class: 'notes card'}, detail.notes.join(' ')));
  parts.push(logTable(detail), factsSection(detail));
  return parts.filter(Boolean);
}

// ---- a family ----

// The labels that differ between runs.
function sweptKeys(runs) {
  const keys = [...new Set(runs.flatMap((r) => Object.keys(r.labels)))];
  return keys.filter((key) => new Set(runs.map((r) => r.labels[key])).size > 1);
}

const shortKey = (key) => key.slice(key.lastIndexOf('.') + 1);

const units = {'': 1, ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600, '%': 1, B: 1, KiB: 1024, MiB: 1048576,
  'bit/s': 1, 'kbit/s': 1e3, 'Mbit/s': 1e6, 'Gbit/s': 1e9, '/s': 1};

// "1500ms" as 1.5; NaN for what is no quantity.
function magnitude(text) {
  const found = /^(-?[0-9.]+)([a-zA-Z%/]*)$/.exec(text);
  return found && found[2] in units ? Number(found[1]) * units[found[2]] : NaN;
}

// The values of a label: by size when all are quantities, else in the order of the runs.
function valuesOf(runs, key) {
  const values = [...new Set(runs.map((r) => r.labels[key] ?? '–'))];
  return values.every((v) => !Number.isNaN(magnitude(v))) ? values.sort((a, b) => magnitude(a) - magnitude(b)) : values;
}

const nameOf = (run) => `run ${run.id}, seed ${run.seed}${labelText(run.labels) ? ', ' + labelText(run.labels) : ''}`;

function outcomePart(runs, keys) {
  const [xKey, yKey] = keys;
  const cells = new Map();
  for (const run of runs) {
    const x = run.labels[xKey] ?? '–', y = yKey ? run.labels[yKey] ?? '–' : '';
    const key = JSON.stringify([x, y]);
    const one = cells.get(key) || {x, y, runs: []};
    one.runs.push(run);
    cells.set(key, one);
  }
  const rows = [...cells.values()].map((c) => {
    const passed = c.runs.filter((r) => r.outcome === 'pass').length;
    const outcome = ['fail', 'unknown', 'pass'].find((o) => c.runs.some((r) => r.outcome === o));
    return {x: c.x, y: c.y, outcome, text: `${passed}/${c.runs.length}`, tip: `${c.x}${yKey ? ', ' + c.y : ''}: ${passed} of ${c.runs.length} passed`};
  });
  return section('', 'Outcome by ' + keys.slice(0, 2).map(shortKey).join(' and '), chart('outcomes', () =>
    outcomeMap(rows, valuesOf(runs, xKey), yKey ? valuesOf(runs, yKey) : [''], shortKey(xKey), yKey ? shortKey(yKey) : '')),
    el('p', {class: 'notes'}, 'Passed runs of all runs; the colour is that of the worst run.'));
}

function familyCharts(runs) {
  // The label with the most values makes the better axis.
  const keys = independentKeys(runs, sweptKeys(runs)).sort((a, b) => valuesOf(runs, b).length - valuesOf(runs, a).length);
  const key = keys[0], parts = [];
  const detections = runs.flatMap((r) => r.detections.filter((d) => d.after !== null).map((d) => ({run: r, after: d.after, d})));
  if (key) parts.push(outcomePart(runs, keys));
  if (detections.length) {
    parts.push(section('', 'Time to notice', chart('detections-histogram', () => detectionHistogram(detections.map(({after}) => ({after}))))));
    if (key)
      parts.push(section('', `Time to notice by ${shortKey(key)}`, chart('detections-by-sweep', () => dots(
        detections.map(({run, after, d}) => ({x: run.labels[key] ?? '–', y: after, outcome: run.outcome,
          tip: `${nameOf(run)}: ${d.observer} sees ${d.peer} down after ${secondsText(after)}`})),
        valuesOf(runs, key), shortKey(key), 'seconds'))));
  }
  const answered = runs.filter((r) => r.latency);
  if (answered.length > 1) {
    const domain = key ? valuesOf(runs, key) : answered.map((r) => String(r.id));
    const rows = answered.flatMap((r) => ['p50', 'p99'].map((series) => {
      const x = key ? r.labels[key] ?? '–' : String(r.id);
      return {series, x, order: domain.indexOf(x), y: Math.max(r.latency[series], 1e-3), tip: `${nameOf(r)}: ${series} ${msText(r.latency[series])}`};
    }));
    parts.push(section('', `Call latency by ${key ? shortKey(key) : 'run'}`,
      chart('latency-by-sweep', () => latencyOverSweep(rows, domain, key ? shortKey(key) : 'run'))));
  }
  return [...heatMaps(runs, keys), el('div', {class: 'columns even'}, parts)];
}

// ---- the page ----

const page = document.getElementById('page');

function show(id) {
  charts.pending = [];
  const runs = report.runs, family = runs.length > 1, run = runs.find((r) => r.id === id), detail = detailOf(id);
  const parts = [header()];
  if (family) {
    parts.push(...familyCharts(runs), runsTable(runs, sweptKeys(runs), (r) => Boolean(detailOf(r.id)), (other) => {
      show(other).then(() => document.getElementById('one').scrollIntoView({behavior: 'smooth'}));
    }));
    const choice = el('select', {onchange: (event) => show(Number(event.target.value)), 'aria-label': 'run to show'},
      report.details.map((d) => el('option', {value: d.id, selected: d.id === id ? '' : null}, nameOf(runs.find((r) => r.id === d.id)))));
    if (run) parts.push(el('div', {class: 'bar', id: 'one'}, el('h1', {}, `Run ${run.id} `, pill(run.outcome)), choice));
  }
  if (run && detail) parts.push(...runPart(run, detail));
  page.replaceChildren(...parts);
  for (const line of document.querySelectorAll('tr.run')) line.classList.toggle('picked', Number(line.dataset.run) === id);
  return drawCharts().then(() => { document.body.dataset.ready = '1'; }).catch(showError);
}

const first = report.details.length ? report.details[0].id : null;
let current = show(first);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { current = current.then(drawCharts); });
let resizing = 0;
addEventListener('resize', () => {
  clearTimeout(resizing);
  resizing = setTimeout(drawCharts, 200);
});
