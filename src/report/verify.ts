import { type VerifyReport, verifyReportSchema } from '../schema/verify.ts';
import { cleanStrings } from './sanitize.ts';
import type { RenderOptions } from './style.ts';

/** Puts a verify report out, with everything taken out that a cluster could trick a terminal or a ticket with. */
export async function renderVerify(report: VerifyReport, format: 'text' | 'json' | 'markdown', options: RenderOptions): Promise<string> {
  const clean = cleanStrings(report);
  switch (format) {
    case 'json':
      return `${JSON.stringify(verifyReportSchema.safeParse(clean).data ?? clean, null, 2)}\n`;
    case 'markdown':
      return (await import('./verify-markdown.ts')).renderVerifyMarkdown(clean);
    case 'text':
      return (await import('./verify-text.ts')).renderVerifyText(clean, options);
  }
}
