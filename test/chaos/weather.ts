import type { Weather } from './faults/draw.ts'

/** Waves of faults for a run of so many ms: of 20 s with 16 s between them, or one short one in a short run. */
export const weatherFor = (length: number): Weather => ({
  length,
  wave: Math.min(20_000, length * 0.4),
  calm: Math.min(16_000, length * 0.4),
  between: Math.min(1_500, length / 12),
})
