import { type TraceReport, traceReportSchema } from '../schema/trace.ts';
import { cleanStrings } from './sanitize.ts';
import type { RenderOptions } from './style.ts';

export type TraceFormat = 'text' | 'json' | 'mermaid';

/** Puts a trace out, with everything taken out that a cluster could trick a terminal or a ticket with. */
export async function renderTrace(report: TraceReport, format: TraceFormat, options: RenderOptions): Promise<string> {
  const clean = cleanStrings(report);
  switch (format) {
    case 'json':
      return `${JSON.stringify(traceReportSchema.safeParse(clean).data ?? clean, null, 2)}\n`;
    case 'mermaid':
      return (await import('./trace-mermaid.ts')).renderTraceMermaid(clean);
    case 'text':
      return (await import('./trace-text.ts')).renderTraceText(clean, options);
  }
}
