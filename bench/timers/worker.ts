// The file that bree wants for each job. It is never started: see libraries.ts.
export {}
