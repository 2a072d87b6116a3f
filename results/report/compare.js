// The page of a comparison: verdicts, and the distributions of all arms over each other.

const report = JSON.parse(document.getElementById('data').textContent);

const isCount = (metric) => metric.endsWith('_messages');
const outcomeClass = {agree: 'pass', disagree: 'fail', 'too few': 'unknown'};
const verdictPill = (outcome) => el('span', {class: 'pill ' + outcomeClass[outcome]}, outcome.toUpperCase());

function valueText(metric, value) {
  if (value === null) return '–';
  if (isCount(metric)) return digits(value);
  return metric === 'goodput' ? `${digits(value / 1e6)} Mbit/s` : secondsText(value);
}

function intervalText(interval, decimals) {
  if (!interval) return '–';
  return interval.map((v) => (v === null ? '∞' : v.toFixed(decimals))).join(' to ');
}

// The unit in which a chart's axis reads best, and how much of the metric's own one is in it.
function unitFor(metric, largest) {
  if (isCount(metric)) return ['messages per run', 1];
  if (metric === 'goodput') return ['Mbit/s', 1e-6];
  return largest < 1 ? ['milliseconds', 1e3] : ['seconds', 1];
}

const armColors = () => [css('--message'), css('--wedge'), css('--up'), css('--twice'), css('--lost'), css('--down')];

function overlaid(curve) {
  const arms = curve.arms.filter((arm) => arm.ecdf.length);
  const all = arms.flatMap((arm) => arm.ecdf.map(([x]) => x));
  const [title, factor] = unitFor(curve.metric, Math.max(...all));
  const low = Math.min(...all) * factor, high = Math.max(...all) * factor;
  const room = (high - low) * 0.03 || Math.max(Math.abs(high) * 0.05, 0.5);
  const logarithmic = low > 0 && high / low > 30;
  const domain = logarithmic ? [low / 1.1, high * 1.1] : [Math.max(low - room, isCount(curve.metric) ? -room : 0), high + room];
  const rows = arms.flatMap(({name, ecdf}) => [{name, x: domain[0], share: 0},
    ...ecdf.map(([x, share]) => ({name, x: x * factor, share})), {name, x: domain[1], share: 1}]);
  return {
    height: 240,
    data: [{name: 'rows', values: rows}],
    scales: [
      {name: 'x', type: logarithmic ? 'log' : 'linear', range: 'width', domain, zero: false, nice: false},
      {name: 'y', type: 'linear', range: 'height', domain: [0, 1]},
      {name: 'color', type: 'ordinal', domain: curve.arms.map((arm) => arm.name), range: armColors()}],
    axes: [xAxis(title + (logarithmic ? ' (log scale)' : ''), {tickCount: 6}), yAxis('share at most this large', {format: '.0%'})],
    legends: [{stroke: 'color', orient: 'top', direction: 'horizontal', symbolType: 'stroke'}],
    marks: [{type: 'group', from: {facet: {name: 'one', data: 'rows', groupby: 'name'}}, marks: [
      {type: 'line', from: {data: 'one'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'share'},
        interpolate: {value: 'step-after'}, stroke: {scale: 'color', field: 'name'}, strokeWidth: {value: 2}, strokeOpacity: {value: 0.85},
        tooltip: {signal: "datum.name + ': ' + format(datum.share, '.0%') + ' at most ' + format(datum.x, '.4~r')"}}}}]}],
  };
}

// The verdict of a metric stands in its first row, whatever that row is about.
function metricRows(comparison, metric) {
  const counted = isCount(metric.metric), nothing = {values: 0, p50: null, p99: null, mean: null};
  // Of some nothing can be measured, only what came about: calls that all fail.
  const lines = metric.values.length ? metric.values : [{of: '', reference: nothing, arm: nothing, ks: null}];
  const middle = (side) => (counted && side.mean !== null ? 'mean ' + valueText(metric.metric, side.mean) : valueText(metric.metric, side.p50));
  return lines.map((line, i) => el('tr', {class: 'metric', 'data-outcome': metric.outcome},
    cell(i === 0 ? verdictPill(metric.outcome) : ''), cell(i === 0 ? comparison.texts[metric.metric].name : ''), cell(typeset(line.of)),
    cell(`${line.reference.values} / ${line.arm.values}`, 'n'), cell(middle(line.reference), 'n'), cell(middle(line.arm), 'n'),
    cell(counted && line.mean_difference ? 'by ' + intervalText(line.mean_difference, 1) : intervalText(line.p50_ratio, 2), 'n'),
    cell(valueText(metric.metric, line.reference.p99), 'n'), cell(valueText(metric.metric, line.arm.p99), 'n'),
    cell(counted ? '' : intervalText(line.p99_ratio, 2), 'n'),
    cell(line.ks === null ? '–' : line.ks.toFixed(2), 'n'), cell(i === 0 ? comparison.texts[metric.metric].margin : '')));
}

// What was tested and did not agree; the rest behind a click.
function testsTable(comparison, versus) {
  const tests = versus.metrics.flatMap((metric) => [
    ...metric.values.flatMap((line) => line.tests.map((test) => ({...test, of: `${comparison.texts[metric.metric].name} ${line.of}`}))),
    ...metric.outcomes.map((test) => ({...test, of: comparison.texts[metric.metric].name}))]);
  const table = (rows) => el('table', {}, row([[''], ['Of'], ['Tested']]),
    el('tbody', {}, rows.map((test) => el('tr', {class: 'test'}, cell(verdictPill(test.outcome)), cell(typeset(test.of)), cell(typeset(test.why))))));
  const open = tests.filter((test) => test.outcome !== 'agree'), closed = tests.filter((test) => test.outcome === 'agree');
  return [open.length ? table(open) : null, closed.length ?
    el('details', {}, el('summary', {}, `${plural(closed.length, 'test')} that agree`), table(closed)) : null];
}

function versusSection(comparison, versus) {
  const [reference, ...others] = comparison.arms, arm = others.find((one) => one.name === versus.arm);
  const leftOut = reference.left_out + arm.left_out;
  return section('', `${comparison.scenario}${comparison.variant ? ` (${comparison.variant})` : ''}: ${versus.arm} against ${reference.name}`,
    el('p', {class: 'sub'}, verdictPill(versus.outcome), ` ${plural(arm.runs, 'run')} and ${plural(reference.runs, 'run')}` +
      (leftOut ? `, ${leftOut} left out` : '') + (versus.runs_needed ? `; ${count(versus.runs_needed)} of each would do` : '')),
    ...comparison.notes.map((note) => el('p', {class: 'notes'}, note)),
    el('div', {class: 'scroll'}, el('table', {},
      row([[''], ['Metric'], ['Of'], ['Values', 'n'], [`p50 ${reference.name}`, 'n'], [versus.arm, 'n'], ['ratio, 90%', 'n'],
        [`p99 ${reference.name}`, 'n'], [versus.arm, 'n'], ['ratio, 90%', 'n'], ['KS', 'n'], ['Margin']]),
      el('tbody', {}, versus.metrics.flatMap((metric) => metricRows(comparison, metric))))),
    ...testsTable(comparison, versus));
}

function curvesPart(comparison, index) {
  // A single value in all arms is no distribution worth a picture.
  const drawable = comparison.curves.filter((curve) => new Set(curve.arms.flatMap((arm) => arm.ecdf.map(([x]) => x))).size > 1);
  return el('div', {class: 'columns even'}, drawable.map((curve, i) =>
    section('', `${curve.name[0].toUpperCase()}${curve.name.slice(1)} ${typeset(curve.of)}`, chart(`curve-${index}-${i}`, () => overlaid(curve)))));
}

const page = document.getElementById('page');
page.replaceChildren(
  el('header', {}, el('div', {class: 'top'}, el('h1', {}, [...new Set(report.comparisons.map((c) => c.scenario))].join(', ')), verdictPill(report.outcome)),
    el('p', {class: 'sub'}, report.outcome === 'too few' ? report.conclusion : ''), report.command ? el('p', {class: 'sub mono'}, report.command) : null),
  ...report.comparisons.flatMap((comparison, i) => [
    ...comparison.versus.map((versus) => versusSection(comparison, versus)), curvesPart(comparison, i)]),
  el('p', {class: 'notes'}, 'Intervals hold with 90%, by drawing runs again; of messages it is that of the difference of the means. KS is the distance of Kolmogorov and Smirnov. How it is judged: results/compare/README.md.'));
drawCharts().then(() => { document.body.dataset.ready = '1'; }).catch(showError);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawCharts);
let resizing = 0;
addEventListener('resize', () => {
  clearTimeout(resizing);
  resizing = setTimeout(drawCharts, 200);
});
