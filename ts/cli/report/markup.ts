// HTML and SVG from values: whatever stands in a template's holes is text, and never markup.
//
// Names of phases and of files come from a trace, so nothing may reach a page in another way.

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
/** Characters that no page may have, and those that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g

/** Text that is markup. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What can stand in a hole: text, a number, markup, or many of them. */
export type Hole = string | number | Markup | readonly Hole[]

/** Markup with the holes filled. */
export function html(strings: TemplateStringsArray, ...holes: readonly Hole[]): Markup {
  const parts = strings.map((text, i) => (i === 0 ? '' : textOf(holes[i - 1] ?? '')) + text)
  return new Markup(parts.join(''))
}

/** A name as it can be shown anywhere, also in a terminal. */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, '\ufffd').replace(/[\t\n]/g, ' ')
}

/** JSON for a script element of a page: it cannot end that element. */
export function jsonMarkup(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'))
}

/** A length in SVG. */
export function fixed(length: number): string {
  return length.toFixed(1)
}

function textOf(hole: Hole): string {
  if (hole instanceof Markup) return hole.text
  if (typeof hole === 'number') return String(hole)
  if (typeof hole === 'string') return escaped(hole)
  return hole.map(textOf).join('')
}

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd').replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char)
}
