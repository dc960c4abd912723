// What all pictures share.

/** No frame, no background, and text in the colours of the page. */
export function config({ text, grid }) {
  const labels = {
    labelColor: text,
    labelFontSize: 13,
    titleColor: text,
    titleFontWeight: 'normal',
  }
  return {
    view: { stroke: null },
    axis: { ...labels, domain: false, ticks: false, labelPadding: 8, gridColor: grid },
    header: labels,
    title: { color: text, fontSize: 14, anchor: 'start', fontWeight: 'normal', offset: 12 },
  }
}

/** The colour of a bar or an area: ours stands out. */
export function colour(field, { ours, others }) {
  const test = `indexof(datum.${field}, 'nalloc') === 0`
  return { condition: { test, value: ours }, value: others }
}
