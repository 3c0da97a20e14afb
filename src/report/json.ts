import { reportSchema } from '../schema/report.ts';
import type { CleanReport } from './sanitize.ts';

/**
 * The report as JSON for scripts (docs/schema/diagnosis-report.v1.json): keys in the order of the schema, two spaces, a line end at the end.
 * A report that breaks the schema is still printed, as it is: to lose a diagnosis would be worse than a surprised script.
 */
export function renderJson(report: CleanReport): string {
  const { data } = reportSchema.safeParse(report);
  return `${JSON.stringify(data ?? report, null, 2)}\n`;
}
