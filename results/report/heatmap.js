// The heat map of a sweep: a cell for each combination of two swept values (a strip for one value),
// coloured by what the first fault did in the end: the reason of the first node_down after it.

// Okabe and Ito's colours, which differ for colour-blind eyes too; the text in each cell says the same.
const causeColors = ['#e69f00', '#56b4e9', '#d55e00', '#cc79a7', '#f0e442', '#0072b2', '#8c6bb1', '#b3b3b3'];
const survived = 'survived', survivedColor = '#009e73';
const nothing = {'never up': '#8d97a6', 'no fault': '#d5dae2', incomplete: '#b3b3b3'};

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function inkOn(color) {  // black or white, whichever can be read better
  const [r, g, b] = [1, 3, 5].map((i) => (parseInt(color.slice(i, i + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.22 ? '#10151b' : '#ffffff';
}

// Of keys whose values go in lock step one is enough.
function independentKeys(runs, keys) {
  const follows = (a, b) => {
    const seen = new Map();
    return runs.every((r) => seen.has(r.labels[a]) ? seen.get(r.labels[a]) === r.labels[b] : seen.set(r.labels[a], r.labels[b]));
  };
  return keys.filter((key, i) => !keys.slice(0, i).some((other) => follows(other, key) && follows(key, other)));
}

// "outage.for" of "faults.outage.for": the last word alone says little of a fault.
const plainKey = (key) => key.split('.').slice(-2).join('.');

// The runs of one cell: how many died of what, and after which time.
function heatCell(x, y, runs, names) {
  const causes = new Map();
  for (const run of runs) causes.set(run.cause, [...(causes.get(run.cause) || []), run]);
  const sorted = [...causes].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
  const passed = runs.filter((r) => r.outcome === 'pass').length, deaths = runs.filter((r) => r.death).map((r) => r.death.after);
  const tip = {[names[0]]: x, ...(names[1] ? {[names[1]]: y} : {}), passed: `${passed} of ${runs.length}`};
  for (const [cause, list] of sorted) {
    const times = list.filter((r) => r.death).map((r) => r.death.after), low = Math.min(...times), high = Math.max(...times);
    tip[cause] = `${list.length} of ${runs.length}` + (!times.length ? '' : `, ${secondsText(median(times))} after the first fault` +
      (high > low ? ` (${secondsText(low)} to ${secondsText(high)})` : '') + (runs.length === 1 ? `: ${list[0].death.observer} sees ${list[0].death.peer} down` : ''));
  }
  let from = 0;
  const parts = sorted.map(([cause, list]) => {
    const to = from + list.length / runs.length, part = {x, y, cause, from, to, tip};
    from = to;
    return part;
  });
  return {x, y, parts, cause: sorted[0][0] + (sorted.length > 1 ? ` ${sorted[0][1].length}/${runs.length}` : ''), main: sorted[0][0],
    time: deaths.length ? secondsText(median(deaths)) : '', passed: `${passed}/${runs.length} pass`};
}

// `all` are the runs of every map, so that the maps have the same axes.
function heatMap(runs, all, [xKey, yKey], allCauses) {
  const xDomain = valuesOf(all, xKey), yDomain = yKey ? valuesOf(all, yKey) : [''], cells = [];
  for (const x of xDomain) {
    for (const y of yDomain) {
      const here = runs.filter((r) => (r.labels[xKey] ?? '–') === x && (!yKey || (r.labels[yKey] ?? '–') === y));
      if (here.length) cells.push(heatCell(x, y, here, [xKey, yKey]));
    }
  }
  const others = allCauses.filter((c) => c !== survived && !(c in nothing));
  const colorOf = (cause) => cause === survived ? survivedColor : nothing[cause] || causeColors[others.indexOf(cause) % causeColors.length];
  const tall = yDomain.length <= 10, lines = tall ? ['cause', 'time', 'passed'] : ['cause'];
  for (const cell of cells) cell.ink = inkOn(colorOf(cell.main));
  const text = (field, i) => ({type: 'text', from: {data: 'cells'}, interactive: false, encode: {enter: {
    x: {scale: 'x', field: 'x', band: 0.5}, y: {scale: 'y', field: 'y', band: 0.5}, dy: {signal: `datum.time ? ${(i - (lines.length - 1) / 2) * 15} : ${tall ? [-8, 0, 8][i] : 0}`},
    align: {value: 'center'}, baseline: {value: 'middle'}, text: {field}, fill: {field: 'ink'}, fontWeight: {value: i === 0 ? 600 : 400},
    fontSize: {signal: i === 0 ? "clamp(bandwidth('x') / 9.5, 8.5, 11.5)" : '11'}, limit: {signal: "bandwidth('x') - 6"}}}});
  return {
    height: 84 + yDomain.length * (tall ? 58 : 28),  // axis and legend included
    data: [{name: 'cells', values: cells}, {name: 'parts', values: cells.flatMap((c) => c.parts)}],
    scales: [{name: 'x', type: 'band', range: 'width', domain: xDomain, padding: 0.03},
      {name: 'y', type: 'band', range: 'height', domain: yDomain, padding: 0.05, reverse: true},
      {name: 'cause', type: 'ordinal', domain: allCauses, range: allCauses.map(colorOf)}],
    axes: [xAxis(xKey), ...(yKey ? [yAxis(yKey, {grid: false})] : [])],
    legends: [{fill: 'cause', orient: 'top', direction: 'horizontal', symbolType: 'square'}],
    marks: [{type: 'rect', from: {data: 'parts'}, encode: {enter: {
      x: {scale: 'x', field: 'x', offset: {signal: "bandwidth('x') * datum.from"}}, width: {signal: "bandwidth('x') * (datum.to - datum.from)"},
      y: {scale: 'y', field: 'y'}, height: {scale: 'y', band: 1}, fill: {scale: 'cause', field: 'cause'}, tooltip: {field: 'tip'}}}},
    ...lines.map(text)],
  };
}

const mostMaps = 6;

// A map for each combination of the values of what else is swept.
function heatMaps(runs, keys) {
  if (!keys.length || !runs.some((r) => r.faulted)) return [];
  const axes = keys.slice(0, 2), rest = keys.slice(2);
  const groups = new Map();
  for (const run of runs) {
    const name = rest.map((key) => `${shortKey(key)}=${run.labels[key] ?? '–'}`).join(', ');
    groups.set(name, [...(groups.get(name) || []), run]);
  }
  const found = new Set(runs.map((r) => r.cause)), known = [survived, ...Object.keys(nothing)];
  const causes = [...known.filter((c) => found.has(c)), ...[...found].filter((c) => !known.includes(c)).sort()];
  const maps = [...groups].slice(0, mostMaps).map(([name, group], i) => section('',
    'Cause of death by ' + axes.map(plainKey).join(' and ') + (name ? `: ${name}` : ''),
    chart('heatmap' + (i ? '-' + (i + 1) : ''), () => heatMap(group, runs, axes, causes)),
    el('p', {class: 'notes'}, 'The reason of the first node_down after the first fault, and the median time from the one to the other. ' +
      'Where runs of a cell differ, it is divided by their shares.')));
  if (groups.size > mostMaps) maps.push(el('p', {class: 'notes card'}, `And ${groups.size - mostMaps} more combinations of ${rest.map(shortKey).join(', ')}.`));
  return maps;
}
