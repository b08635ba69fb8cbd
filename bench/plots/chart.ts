import { load } from '../coordinators/rival.ts'
import type { Point } from './points.ts'

interface Vega {
  parse(spec: object): object
  View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string>; finalize(): void }
}

interface VegaLite {
  compile(spec: object): { readonly spec: object }
}

/** What a plot is called, and what its vertical axis is. */
export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly axis: string
}

/** Curves over the number of jobs, one for each number of nodes, side by side for each store; both scales are logarithmic. */
export async function chartSvg({ title, subtitle, axis }: Chart, points: readonly Point[]): Promise<string> {
  const vega = await load<Vega>('vega')
  const { compile } = await load<VegaLite>('vega-lite')
  const { spec } = compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: title,
      subtitle,
      anchor: 'start',
      fontSize: 16,
      subtitleFontSize: 12,
      subtitleColor: '#555',
      offset: 14,
    },
    // White, so that it can be read on pages of either kind.
    background: 'white',
    padding: 16,
    data: { values: points },
    facet: {
      column: {
        field: 'on',
        type: 'nominal',
        title: null,
        sort: [...new Set(points.map(({ on }) => on))],
        header: { labelFontSize: 13 },
      },
    },
    spec: {
      width: 230,
      height: 260,
      mark: { type: 'line', point: { filled: true, size: 45 }, strokeWidth: 2 },
      encoding: {
        x: {
          field: 'jobs',
          type: 'quantitative',
          title: 'jobs due at once',
          scale: { type: 'log', domain: [10, 100_000] },
          axis: { values: [10, 100, 1_000, 10_000, 100_000], format: '~s', labelFlush: false },
        },
        y: {
          field: 'value',
          type: 'quantitative',
          title: axis,
          scale: { type: 'log' },
          axis: { format: ',~g', tickCount: 5 },
        },
        color: {
          field: 'nodes',
          type: 'ordinal',
          title: 'nodes',
          scale: { range: ['#0072b2', '#e69f00', '#009e73', '#cc79a7'] },
        },
        shape: { field: 'nodes', type: 'nominal', title: 'nodes' },
      },
    },
    config: { font: 'sans-serif', axis: { labelFontSize: 11, titleFontSize: 12, gridColor: '#e5e5e5' } },
  })
  const view = new vega.View(vega.parse(spec), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}
