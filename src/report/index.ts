import type { Report } from '../schema/report.ts';
import { type CleanReport, cleanReport } from './sanitize.ts';
import type { RenderOptions } from './style.ts';

export type { RenderOptions } from './style.ts';

type Renderer = (report: CleanReport, options: RenderOptions) => string;

/** A new format is a new file and a line here. Modules are loaded when asked for, so that a run pays for one format only. */
const renderers = {
  text: async () => (await import('./text.ts')).renderText,
  json: async () => (await import('./json.ts')).renderJson,
  markdown: async () => (await import('./markdown.ts')).renderMarkdown,
} satisfies Record<string, () => Promise<Renderer>>;

export type ReportFormat = keyof typeof renderers;

export const reportFormats = Object.keys(renderers) as readonly ReportFormat[];

/** Puts a report out in the format asked for, with everything taken out that a cluster could trick a terminal or a ticket with. */
export async function renderReport(report: Report, format: ReportFormat, options: RenderOptions): Promise<string> {
  const render: Renderer = await renderers[format]();
  return render(cleanReport(report), options);
}
