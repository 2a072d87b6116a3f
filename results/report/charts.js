// The charts, drawn by Vega from specifications built here.

const charts = {views: [], pending: []};

function chartConfig() {
  const muted = css('--muted'), line = css('--line'), font = 'system-ui, "Segoe UI", Arial, sans-serif';
  return {
    background: null,
    axis: {labelColor: muted, titleColor: muted, domainColor: line, tickColor: line, gridColor: css('--soft'),
      labelFont: font, titleFont: font, titleFontWeight: 'normal', labelFontSize: 11, titleFontSize: 11},
    legend: {labelColor: muted, titleColor: muted, labelFont: font, titleFont: font, labelFontSize: 11, titleFontWeight: 'normal'},
    text: {font},
  };
}

const outcomeColors = () => ({type: 'ordinal', name: 'outcome', domain: ['pass', 'unknown', 'fail'],
  range: [css('--pass'), css('--unknown'), css('--fail')]});

// Draws when the page is laid out; `build` gives a specification for a width.
function chart(id, build) {
  const box = el('div', {class: 'chart', id});
  charts.pending.push(() => {
    const spec = {autosize: {type: 'fit', contains: 'padding'}, padding: 2, config: chartConfig(),
      width: Math.max(260, box.clientWidth - 4), ...build()};
    box.replaceChildren();
    const view = new vega.View(vega.parse(spec), {renderer: 'svg', container: box, hover: true,
      logLevel: vega.Warn, tooltip: (handler, event, item, value) => {
        if (value === null || value === undefined) tip.hide();
        else tip.show(typeof value === 'object' ? Object.entries(value).map(([k, v]) => `${k}: ${v}`).join('\n') : String(value),
          event.clientX, event.clientY);
      }});
    charts.views.push(view);
    return view.runAsync().then(() => { box.dataset.drawn = '1'; return view; });
  });
  return box;
}

function drawCharts() {
  for (const view of charts.views) view.finalize();
  charts.views = [];
  return Promise.all(charts.pending.map((draw) => draw()));
}

const xAxis = (title, more) => ({orient: 'bottom', scale: 'x', title, labelOverlap: true, tickCount: 8, ...more});
const yAxis = (title, more) => ({orient: 'left', scale: 'y', title, grid: true, tickCount: 6, labelOverlap: true, ...more});

// A logarithmic scale pays when values spread over more than a decade and a half.
function spread(values, title) {
  const positive = values.filter((v) => v > 0);
  const min = Math.min(...positive), max = Math.max(...positive);
  return positive.length > 1 && max / min > 30 ? {type: 'log', domain: [min / 1.3, max * 1.3], title: title + ' (log scale)'} :
    {type: 'linear', domain: [0, (max > 0 ? max : 1) * 1.05], title};
}

function callRows(calls) {
  return calls.t.map((t, i) => ({t, ms: Math.max(calls.ms[i], 1e-3), result: calls.results[calls.result[i]],
    ok: calls.results[calls.result[i]] === 'ok', pair: `${calls.hosts[calls.from[i]]} → ${calls.hosts[calls.to[i]]}`}));
}

function latencyOverTime(detail) {
  const rows = callRows(detail.calls);
  const y = spread(rows.map((r) => r.ms).reduce((a, v) => { // extremes only: the list may be long
    a[0] = Math.min(a[0], v); a[1] = Math.max(a[1], v); return a; }, [Infinity, 0]), 'milliseconds');
  const results = ['ok', ...new Set(rows.map((r) => r.result).filter((r) => r !== 'ok'))];
  const bad = [css('--fail'), css('--wedge'), css('--frozen'), css('--down'), css('--text')];
  return {
    height: 260,
    signals: [{name: 'shown', value: [0, detail.end]}],
    data: [{name: 'calls', values: rows}, {name: 'faults', values: detail.faults.filter((f) => f.to > f.from)}],
    scales: [
      {name: 'x', type: 'linear', range: 'width', domain: {signal: 'shown'}, zero: false, nice: false},
      {name: 'y', type: y.type, range: 'height', domain: y.domain, clamp: true},
      {name: 'color', type: 'ordinal', domain: results, range: [css('--message'), ...bad]}],
    axes: [xAxis('seconds since the run began, at the start of the call'), yAxis(y.title)],
    legends: results.length > 1 ? [{fill: 'color', orient: 'top', direction: 'horizontal', symbolType: 'circle'}] : [],
    marks: [
      {type: 'rect', clip: true, from: {data: 'faults'}, encode: {
        enter: {fill: {value: css('--fault')}, fillOpacity: {value: 0.1}, y: {value: 0}, y2: {field: {group: 'height'}},
          tooltip: {signal: "datum.fault + ' ' + datum.target"}},
        update: {x: {scale: 'x', field: 'from'}, x2: {scale: 'x', field: 'to'}}}},
      {type: 'symbol', clip: true, from: {data: 'calls'}, encode: {
        enter: {size: {signal: 'datum.ok ? 14 : 34'}, fill: {scale: 'color', field: 'result'},
          fillOpacity: {signal: 'datum.ok ? 0.55 : 0.95'}, y: {scale: 'y', field: 'ms'},
          tooltip: {signal: "{call: datum.pair, started: format(datum.t, '.3f') + ' s', took: format(datum.ms, '.4~r') + ' ms', result: datum.result}"}},
        update: {x: {scale: 'x', field: 't'}}}}],
  };
}

function distribution(points, xTitle, marks) {
  const rows = points.map(([x, share]) => ({x, share}));
  const x = spread([rows[0].x, rows[rows.length - 1].x], xTitle);
  const first = x.type === 'log' ? Math.max(rows[0].x, x.domain[0]) : rows[0].x;
  return {
    height: 260,
    data: [{name: 'ecdf', values: [{x: first, share: 0}, ...rows]}, {name: 'marks', values: marks}],
    scales: [
      {name: 'x', type: x.type, range: 'width', domain: x.type === 'log' ? x.domain : [Math.min(rows[0].x, marks[0] ? marks[0].x : rows[0].x), rows[rows.length - 1].x],
        zero: false, nice: x.type === 'linear'},
      {name: 'y', type: 'linear', range: 'height', domain: [0, 1]}],
    axes: [xAxis(x.title, {tickCount: 5}), yAxis('share at most this long', {format: '.0%'})],
    marks: [
      {type: 'area', from: {data: 'ecdf'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'share'},
        y2: {scale: 'y', value: 0}, interpolate: {value: 'step-after'}, fill: {value: css('--message')}, fillOpacity: {value: 0.12}}}},
      {type: 'line', from: {data: 'ecdf'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'share'},
        interpolate: {value: 'step-after'}, stroke: {value: css('--message')}, strokeWidth: {value: 2}}}},
      {type: 'rule', from: {data: 'marks'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {value: 0},
        y2: {field: {group: 'height'}}, stroke: {value: css('--muted')}, strokeDash: {value: [3, 3]}}}},
      {type: 'text', from: {data: 'marks'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {field: 'y'}, dx: {field: 'dx'},
        align: {field: 'align'}, baseline: {value: 'top'}, text: {field: 'text'}, fill: {value: css('--text')}, fontSize: {value: 11}}}}],
  };
}

function latencyDistribution(detail, latency) {
  const right = latency.p99 > latency.max / 2;  // the label goes where there is room
  return distribution(detail.ecdf, 'milliseconds', [
    {x: latency.p50, text: 'p50 ' + msText(latency.p50), y: 120, dx: 5, align: 'left'},
    {x: latency.p99, text: 'p99 ' + msText(latency.p99), y: 160, dx: right ? -5 : 5, align: right ? 'right' : 'left'}]);
}

// How long nodes took to notice, over all runs.
function detectionHistogram(rows) {
  return {
    height: 240,
    data: [{name: 'rows', values: rows, transform: [
      {type: 'extent', field: 'after', signal: 'range'},
      {type: 'bin', field: 'after', extent: {signal: 'range[0] === range[1] ? [range[0] - 0.5, range[1] + 0.5] : range'}, maxbins: 30, signal: 'bins'}]},
      {name: 'bars', source: 'rows', transform: [{type: 'aggregate', groupby: ['bin0', 'bin1']}]}],
    scales: [
      {name: 'x', type: 'linear', range: 'width', domain: {signal: '[bins.start, bins.stop]'}, zero: false},
      {name: 'y', type: 'linear', range: 'height', domain: {data: 'bars', field: 'count'}, nice: true, zero: true}],
    axes: [xAxis('seconds from the fault to node_down'), yAxis('node_down events', {format: 'd', tickMinStep: 1})],
    marks: [{type: 'rect', from: {data: 'bars'}, encode: {enter: {x: {scale: 'x', field: 'bin0', offset: 0.5},
      x2: {scale: 'x', field: 'bin1', offset: -0.5}, y: {scale: 'y', field: 'count'}, y2: {scale: 'y', value: 0},
      fill: {value: css('--message')}, tooltip: {signal: "format(datum.bin0, '.3~f') + ' to ' + format(datum.bin1, '.3~f') + ' s: ' + datum.count"}}}}],
  };
}

// One dot per run (or detection) at its swept value.
function dots(rows, domain, xTitle, yTitle) {
  const y = spread([Math.min(...rows.map((r) => r.y)), Math.max(...rows.map((r) => r.y))], yTitle);
  return {
    height: 240,
    data: [{name: 'rows', values: rows}],
    scales: [{name: 'x', type: 'point', range: 'width', domain, padding: 0.5},
      {name: 'y', type: y.type, range: 'height', domain: y.domain}, outcomeColors()],
    axes: [xAxis(xTitle), yAxis(y.title)],
    legends: [{fill: 'outcome', orient: 'top', direction: 'horizontal', symbolType: 'circle'}],
    marks: [{type: 'symbol', from: {data: 'rows'}, encode: {enter: {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'},
      fill: {scale: 'outcome', field: 'outcome'}, fillOpacity: {value: 0.75}, size: {value: 46}, tooltip: {field: 'tip'}}}}],
  };
}

function latencyOverSweep(rows, domain, xTitle) {
  const y = spread([Math.min(...rows.map((r) => r.y)), Math.max(...rows.map((r) => r.y))], 'milliseconds');
  const color = {name: 'color', type: 'ordinal', domain: ['p50', 'p99'], range: [css('--message'), css('--wedge')]};
  const position = {x: {scale: 'x', field: 'x'}, y: {scale: 'y', field: 'y'}};
  return {
    height: 240,
    data: [{name: 'rows', values: rows},
      {name: 'middle', source: 'rows', transform: [{type: 'aggregate', groupby: ['series', 'x', 'order'], fields: ['y'], ops: ['median'], as: ['y']},
        {type: 'collect', sort: {field: 'order'}}]}],
    scales: [{name: 'x', type: 'point', range: 'width', domain, padding: 0.5}, {name: 'y', type: y.type, range: 'height', domain: y.domain}, color],
    axes: [xAxis(xTitle), yAxis(y.title)],
    legends: [{stroke: 'color', orient: 'top', direction: 'horizontal', symbolType: 'stroke'}],
    marks: [
      {type: 'group', from: {facet: {name: 'one', data: 'middle', groupby: 'series'}}, marks: [
        {type: 'line', from: {data: 'one'}, encode: {enter: {...position, stroke: {scale: 'color', field: 'series'}, strokeWidth: {value: 2}}}}]},
      {type: 'symbol', from: {data: 'rows'}, encode: {enter: {...position, fill: {scale: 'color', field: 'series'},
        fillOpacity: {value: 0.6}, size: {value: 28}, tooltip: {field: 'tip'}}}}],
  };
}

// Outcomes by one or two swept parameters: a cell per combination, coloured by its worst run.
function outcomeMap(cells, xDomain, yDomain, xTitle, yTitle) {
  return {
    height: 80 + Math.max(40, Math.min(380, 30 * yDomain.length)),  // axis and legend included
    data: [{name: 'cells', values: cells}],
    scales: [{name: 'x', type: 'band', range: 'width', domain: xDomain, padding: 0.06},
      {name: 'y', type: 'band', range: 'height', domain: yDomain, padding: 0.06}, outcomeColors()],
    axes: [xAxis(xTitle), ...(yDomain.length > 1 ? [yAxis(yTitle, {grid: false})] : [])],
    legends: [{fill: 'outcome', orient: 'top', direction: 'horizontal', symbolType: 'square'}],
    marks: [
      {type: 'rect', from: {data: 'cells'}, encode: {enter: {x: {scale: 'x', field: 'x'}, width: {scale: 'x', band: 1},
        y: {scale: 'y', field: 'y'}, height: {scale: 'y', band: 1}, fill: {scale: 'outcome', field: 'outcome'},
        cornerRadius: {value: 3}, tooltip: {field: 'tip'}}}},
      {type: 'text', from: {data: 'cells'}, encode: {enter: {x: {scale: 'x', field: 'x', band: 0.5}, y: {scale: 'y', field: 'y', band: 0.5},
        text: {field: 'text'}, align: {value: 'center'}, baseline: {value: 'middle'}, fill: {value: css('--card')}, fontWeight: {value: 600}}}}],
  };
}
