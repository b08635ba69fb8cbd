/** The line of a stack trace that names the error, or the first one; rivals have written a hundred thousand. */
export function shortly(complaint: string): string {
  const lines = complaint.split('\n').map((line) => line.trim())
  const named = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.find(Boolean) ?? ''
  return named.length > 160 ? `${named.slice(0, 159)}…` : named
}
